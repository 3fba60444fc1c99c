"""``runAt``: reading a client's ISO 8601 moment, in its own offset or in a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


class RunAtFault(ValueError):
    """The text is no moment that a job can run at; the sentence says what to send instead."""


def parse_run_at(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the moment that ``text`` names, in UTC.

    With an offset or ``Z`` it is taken as it is, without one it is read in ``zone``. Raises ``RunAtFault`` when it is
    no ISO 8601 date and time, or not in the future.
    """
    if ":" not in text and "T" not in text.upper():  # Python would take a date alone as midnight
        raise RunAtFault(f"{text[:80]!r} names no time of day; write it like 2030-03-10T13:30:00+05:30.")
    try:
        moment = datetime.fromisoformat(text.strip())
        instant = moment.astimezone(UTC) if moment.tzinfo else instant_of(moment, zone)
    except (ValueError, OverflowError):
        raise RunAtFault(
            f"{text[:80]!r} is no ISO 8601 date and time; write it like 2030-03-10T13:30:00+05:30."
        ) from None
    if instant <= now:
        raise RunAtFault(f"{text[:80]} is in the past; it is {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} now.")
    return instant


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return when a wall clock in a zone shows a time, in UTC.

    A time that happens twice (clocks set back) is the first; one that does not exist (clocks set forward) is the
    first instant after the gap.
    """
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    return _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """Find the moment the clocks are set forward by halving the time between the two readings of ``wall``."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    old_offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == old_offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
