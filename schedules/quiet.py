"""Quiet hours, and the jitter that keeps a fleet from firing all at once. Pure rules."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

from jobs.run_at import instant_of

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


class QuietHoursFault(ValueError):
    """Two times that are no quiet hours; the sentence says how they are written."""


@dataclass(frozen=True)
class QuietHours:
    """A part of each day: from ``start`` on, until before ``end``, past midnight if ``end`` is not the later one."""

    start: time
    end: time

    def include(self, reading: time) -> bool:
        """Return whether a clock that shows this is within them."""
        if self.start < self.end:
            return self.start <= reading < self.end
        return reading >= self.start or reading < self.end


def parse_quiet_hours(start: str, end: str) -> QuietHours:
    """Read quiet hours such as ``22:00`` to ``07:00``. Raises ``QuietHoursFault``."""
    hours = QuietHours(_time_of_day(start), _time_of_day(end))
    if hours.start == hours.end:
        raise QuietHoursFault(f"Quiet hours from {start} to {end} are all day long; pause the schedule instead.")
    return hours


def quiet(instant: datetime, zone: ZoneInfo, hours: Iterable[QuietHours]) -> bool:
    """Return whether the clocks of a zone are within any of these hours at an instant."""
    reading = instant.astimezone(zone).time()
    return any(each.include(reading) for each in hours)


def start_of_quiet(instant: datetime, zone: ZoneInfo, hours: QuietHours) -> datetime:
    """Return when the quiet hours began that an instant is within."""
    wall = instant.astimezone(zone).replace(tzinfo=None)
    start = datetime.combine(wall.date(), hours.start)
    return instant_of(start if start <= wall else start - timedelta(days=1), zone)


def jitter_of(schedule_id: str, due: datetime, seconds: float) -> timedelta:
    """Return how long a schedule waits after a due instant: always the same, evenly spread over 0 up to ``seconds``.

    It depends on the schedule and the instant alone, so that whoever asks, and however often, waits as long.
    """
    key = f"{schedule_id} {due.astimezone(UTC).isoformat()}"
    number = int.from_bytes(blake2b(key.encode(), digest_size=6).digest())
    return timedelta(seconds=seconds * number / 2**48)


def _time_of_day(text: str) -> time:
    match = _TIME_OF_DAY.fullmatch(text)
    if not match:
        raise QuietHoursFault(f"{text[:40]!r} is no time of day; write it like 22:00.")
    return time(int(match[1] or 0), int(match[2] or 0))
