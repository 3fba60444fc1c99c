"""When something recurs: once, every so many seconds, or by a cron in a zone. Pure values and functions.

All instants are aware; those that are returned are in UTC and strictly ascending. ``start`` is the first instant at
which a recurrence may fire and ``end`` the last one.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from schedules.cron import GIVE_UP_YEARS, Cron
from schedules.wallclock import fires_after as cron_fires_after

MINIMUM_SECONDS = 1.0
COUNT_LIMIT = 100_000

_TICK = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
_BEGINNING = datetime(1, 1, 3, tzinfo=UTC)  # of the calendar, in every zone


@dataclass(frozen=True, kw_only=True)
class _Window:
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Once(_Window):
    """At one instant."""

    at: datetime


@dataclass(frozen=True)
class Every(_Window):
    """At ``anchor`` and every so many seconds after it, to the microsecond, without drift.

    Raises ``ValueError`` if ``seconds`` is below 1, or more than a ``timedelta`` holds.
    """

    seconds: float
    anchor: datetime

    def __post_init__(self) -> None:
        if not self.seconds >= MINIMUM_SECONDS:  # NaN is not either
            raise ValueError(f"A period must be at least 1 second; {self.seconds} is not.")
        try:
            timedelta(seconds=self.seconds)
        except OverflowError:
            raise ValueError(f"A period of {self.seconds} seconds is longer than the calendar.") from None

    @property
    def period(self) -> timedelta:
        """The seconds as a duration."""
        return timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class CronIn(_Window):
    """At the times that a cron names in a zone; see ``schedules.wallclock`` for the nights when clocks are set."""

    cron: Cron
    zone: ZoneInfo


Recurrence = Once | Every | CronIn


def fires_after(recurrence: Recurrence, instant: datetime) -> Iterator[datetime]:
    """Yield every instant later than this one at which it fires, within its window, to the end of the calendar."""
    after, end = instant.astimezone(UTC), recurrence.end
    if recurrence.start:
        after = max(after, recurrence.start.astimezone(UTC) - _TICK)
    try:
        for fire in _unbounded(recurrence, after):
            if end and fire > end:
                return
            yield fire
    except OverflowError:  # beyond the year 9999
        return


def next_after(recurrence: Recurrence, instant: datetime) -> datetime | None:
    """Return the first fire later than an instant; ``None`` if there is none."""
    return next(fires_after(recurrence, instant), None)


def between(recurrence: Recurrence, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """Return the first ``limit`` fires later than ``after`` and not later than ``until``."""
    return list(islice(takewhile(lambda fire: fire <= until, fires_after(recurrence, after)), limit))


def count_between(recurrence: Recurrence, after: datetime, until: datetime, limit: int = COUNT_LIMIT) -> int:
    """Return how many fires are later than ``after`` and not later than ``until``.

    Intervals are counted by arithmetic, whatever their number; crons one by one, and no further than ``limit``.
    """
    if not isinstance(recurrence, Every):
        return len(between(recurrence, after, until, limit))
    first = next_after(recurrence, after)
    last = min(until, recurrence.end) if recurrence.end else until
    return 0 if first is None or first > last else (last - first) // recurrence.period + 1


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring fires: the first, the last, and how many there are."""

    first: datetime
    last: datetime
    count: int


def run_between(recurrence: Recurrence, after: datetime, until: datetime, limit: int) -> Run | None:
    """Return the fires later than ``after`` and not later than ``until``; None if there are none.

    Intervals are counted by arithmetic, whatever their number; of crons only the first ``limit`` are taken.
    """
    first = next_after(recurrence, after)
    if first is None or first > until:
        return None
    if isinstance(recurrence, Every):
        count = count_between(recurrence, after, until)
        return Run(first, first + (count - 1) * recurrence.period, count)
    fires = between(recurrence, after, until, limit)
    return Run(first, fires[-1], len(fires))


def last_between(recurrence: Recurrence, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """Return the last ``limit`` fires later than ``after`` and not later than ``until``, ascending.

    Those of a cron are counted one by one.
    """
    if isinstance(recurrence, Every):
        count = count_between(recurrence, after, until)
        after += max(0, count - limit) * recurrence.period
    return list(deque(takewhile(lambda fire: fire <= until, fires_after(recurrence, after)), maxlen=limit))


def latest_at_or_before(recurrence: Recurrence, instant: datetime) -> datetime | None:
    """Return the last fire not later than an instant; ``None`` if there is none."""
    last = min(instant, recurrence.end) if recurrence.end else instant
    match recurrence:
        case Once():
            found = next_after(recurrence, recurrence.at.astimezone(UTC) - _TICK)
            return found if found and found <= last else None
        case Every():
            return _latest_of_interval(recurrence, last.astimezone(UTC))
        case CronIn():
            return _latest_of_cron(recurrence, last.astimezone(UTC))


def never_fires(recurrence: Recurrence) -> bool:
    """Return whether there is no instant at which it fires: 30 February, or a window without a fire in it."""
    return next_after(recurrence, _BEGINNING) is None


def describe(recurrence: Recurrence) -> str:
    """Return a sentence in English."""
    match recurrence:
        case Once(at=at):
            return f"Once, at {_written(at)}."
        case Every(seconds=seconds):
            sentence = f"Every {_period(seconds)}, counted from {_written(recurrence.anchor)}."
        case CronIn(cron=cron, zone=zone):
            sentence = cron.describe(zone)
    if recurrence.start:
        sentence += f" Not before {_written(recurrence.start)}."
    if recurrence.end:
        sentence += f" Not after {_written(recurrence.end)}."
    return sentence


def _unbounded(recurrence: Recurrence, after: datetime) -> Iterator[datetime]:
    match recurrence:
        case Once(at=at):
            return iter([at.astimezone(UTC)] if at > after else [])
        case Every():
            return _interval_after(recurrence, after)
        case CronIn(cron=cron, zone=zone):
            return cron_fires_after(cron, zone, after)


def _interval_after(every: Every, after: datetime) -> Iterator[datetime]:
    anchor = every.anchor.astimezone(UTC)
    number = max(0, (after - anchor) // every.period + 1)
    while True:
        yield anchor + number * every.period
        number += 1


def _latest_of_interval(every: Every, last: datetime) -> datetime | None:
    anchor = every.anchor.astimezone(UTC)
    if last < anchor:
        return None
    fire = anchor + (last - anchor) // every.period * every.period
    return fire if fire >= (every.start or anchor) else None


def _latest_of_cron(recurrence: CronIn, last: datetime) -> datetime | None:
    """Look back twice as far each time until there is a fire, then close in on the last one by halving."""
    span, earliest = timedelta(minutes=1), recurrence.start or last - timedelta(days=366 * GIVE_UP_YEARS)
    while not (found := _first_between(recurrence, last - span, last)):
        if last - span < earliest:
            return None
        span *= 2
    after = last
    while after - found > _SECOND:
        middle = found + (after - found) / 2
        later = _first_between(recurrence, middle, last)
        found, after = (later, after) if later else (found, middle)
    return found


def _first_between(recurrence: CronIn, after: datetime, until: datetime) -> datetime | None:
    fire = next_after(recurrence, after)
    return fire if fire and fire <= until else None


def _period(seconds: float) -> str:
    """Return a period in the largest unit of which it is a whole number."""
    unit, length = next((unit, length) for unit, length in _UNITS if seconds % length == 0 or unit == "second")
    number = seconds / length
    return unit if number == 1 else f"{number:f}".rstrip("0").rstrip(".") + f" {unit}s"


_UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def _written(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
