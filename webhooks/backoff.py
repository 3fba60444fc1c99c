"""When a failed callback is tried again, and how long its host is left in peace: pure functions to seconds."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MINUTE = 60.0
HOUR = 60 * MINUTE
LONGEST_DELAY = 24 * HOUR

# The delays that Standard Webhooks 1.0 suggests, in seconds, before the second attempt and those after it.
STANDARD_DELAYS = (
    5.0,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    LONGEST_DELAY,
)
JITTER_SHARE = 0.2
FREE_FAILURES = 2
"""So many failures in a row, which any receiver may have while it restarts, pause nothing."""
LONGEST_PAUSE = 5 * MINUTE

_DELTA_SECONDS = re.compile(r"[0-9]{1,10}")


def delay_before(attempt: int, *, base_ms: int, jitter: float, retry_after: float | None) -> float:
    """Return the seconds to wait before an attempt, counted from the end of the one before it.

    ``attempt`` counts from 1; the first one is made at once. ``base_ms`` (milliseconds) is the delay before
    the second one, doubled each time up to 24 h; 0 means the delays of Standard Webhooks. ``jitter`` in
    [-1, 1] moves the delay by up to 20 %. ``retry_after`` (seconds) is what the receiver asked for: it is
    honoured, but a wish never shortens the delay, nor lengthens it beyond twice the delay or one hour,
    whichever is more, so that a receiver can neither hasten us nor park a delivery for ever. Raises
    ValueError for an attempt below 1.
    """
    if attempt < 1:
        raise ValueError(f"Attempts count from 1, {attempt} is none.")
    if attempt == 1:
        return 0.0
    delay = _planned_delay(attempt - 2, base_ms) * (1 + JITTER_SHARE * max(-1.0, min(1.0, jitter)))
    if retry_after is None:
        return delay
    return max(delay, min(retry_after, max(2 * delay, HOUR)))


def pause_after(failures: int, *, slow_down: bool, retry_after: float | None, base_ms: int) -> float:
    """Return the seconds for which nothing is sent to a host that has failed so often, one after the other.

    The first failures are free; then it is a second, doubled each time up to five minutes, and with a ``base_ms``
    below a second that takes its place. A host that asks to ``slow_down`` (429, 502, 503, 504) is paused from its
    first failure on, and ``retry_after`` (seconds) lengthens that up to one hour.
    """
    step = failures - 1 if slow_down else failures - 1 - FREE_FAILURES
    first = min(1.0, base_ms / 1000) if base_ms else 1.0
    pause = min(LONGEST_PAUSE, first * 2.0 ** min(step, 40)) if step >= 0 else 0.0
    return max(pause, min(retry_after, HOUR)) if slow_down and retry_after is not None else pause


def patience(attempts: int, *, base_ms: int) -> float:
    """Return how many seconds a delivery may be overdue, because its host is paused, before it is dead.

    It is as long as all its attempts take when they are made in time, and an hour at least.
    """
    # Attempts beyond the fiftieth would only add days; the sum is bounded, as the number of attempts is not.
    return max(HOUR, sum(_planned_delay(step, base_ms) for step in range(min(attempts, 50) - 1)))


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return a ``Retry-After`` header (RFC 9110 §10.2.3) as seconds from ``now``, an aware time.

    Understands whole seconds and HTTP dates; a date that has passed gives 0. Anything else gives None.
    """
    text = (value or "").strip()
    if _DELTA_SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        # "-0000" yields a time without a zone; HTTP dates are always UTC.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _planned_delay(step: int, base_ms: int) -> float:
    if base_ms == 0:
        return STANDARD_DELAYS[min(step, len(STANDARD_DELAYS) - 1)]
    # The exponent is bounded so that a thousandth attempt does not compute a number of a thousand bits.
    return min(LONGEST_DELAY, base_ms / 1000 * 2.0 ** min(step, 40))
