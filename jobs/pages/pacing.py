"""How long to wait before the next request to a host, so that nobody's server is pressed."""

from dataclasses import dataclass, field

LONGEST_DELAY = 30.0
"""Seconds: a site that asks for more gets this, or a batch would never end."""


@dataclass(slots=True)
class Pacer:
    """Keeps the time of the last request to each host; times are of one monotonic clock, in seconds."""

    delay: float
    _free_at: dict[str, float] = field(default_factory=dict)

    def wait_for(self, host: str, now: float) -> float:
        """Return how many seconds to wait before a request to the host."""
        return max(0.0, self._free_at.get(host, now) - now)

    def note(self, host: str, now: float, asked: float | None = None) -> None:
        """Note that a request to a host is over; ``asked`` is the delay that its robots.txt wants."""
        self._free_at[host] = now + min(LONGEST_DELAY, max(self.delay, asked or 0.0))
