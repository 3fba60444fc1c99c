"""When a schedule is due, as the lines after ``OnCalendar=``. Pure.

A timer may be silent at a due time, because pirunner's clock then fires it itself a few seconds later; it never rings
at a time that is not due. So it may leave out what systemd cannot say: the nights when clocks are set.

Intervals are anchored, and a calendar is not: those whose period divides a day or a week are patterns of it, in UTC.
The others, if they are not too short, are lists of instants that are renewed as time goes on: one block of them that
has begun and the next one, so that a list stays the same while its first block lasts.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from installer.refusals import Objection
from installer.schema import Calendar, Interval, Manifest, Once, When

DAY = 86_400
WEEK = 7 * DAY
SHORTEST_LISTED = 1200  # seconds; a shorter period would fill a block in no time
FEWEST_LISTED = 8
MOST_LINES = 200
_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
# systemd reads no year beyond 2199, and before 1970 nothing is due.
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)
_LAST = datetime(2199, 1, 1, tzinfo=UTC)


class Lines(NamedTuple):
    """Calendar lines, and until when they are right; None: for good."""

    texts: tuple[str, ...]
    until: datetime | None = None


def objections_to(when: When) -> list[Objection]:
    """Return why systemd cannot express this; nothing if it can."""
    match when:
        case Once(at=at):
            return [] if _FIRST <= at < _LAST else [_beyond("runAt")]
        case Interval():
            return _objections_to_interval(when)
        case Calendar():
            return []


def lines_of(manifest: Manifest, now: datetime) -> Lines:
    """Return the calendar lines of a manifest to which there are no objections; none if no fire is left."""
    match manifest.when:
        case Once(at=at):
            return Lines((_instant(_whole(at)),))
        case Interval() as interval:
            return _pattern(interval) if _is_pattern(interval.seconds) else _listed(interval, manifest.end, now)
        case Calendar() as calendar:
            return Lines(tuple(_calendar_lines(calendar)))


def _objections_to_interval(interval: Interval) -> list[Objection]:
    if not _FIRST <= interval.anchor < _LAST:
        return [_beyond("runAt")]
    if _is_pattern(interval.seconds) or interval.seconds >= SHORTEST_LISTED:
        return []
    lower, higher = _neighbours(interval.seconds)
    message = (
        f"systemd cannot ring every {interval.seconds} seconds without drift: below {SHORTEST_LISTED} seconds a period "
        f"must divide a day. Take {lower} or {higher}, or scheduleBackend celery."
    )
    return [Objection("everySeconds", "not_expressible", message)]


def _neighbours(seconds: int) -> tuple[int, int]:
    """Return the next shorter and the next longer period that a pattern can express."""
    lower = next(period for period in range(seconds, 0, -1) if _is_pattern(period))
    higher = next(period for period in range(seconds, DAY + 1) if _is_pattern(period))
    return lower, higher


def _beyond(field: str) -> Objection:
    return Objection(field, "not_expressible", "systemd knows the years 1970 to 2198 only.")


# -- calendars ------------------------------------------------------------------------------------------------


def _calendar_lines(calendar: Calendar) -> Iterable[str]:
    date = f"*-{_numbers(calendar.months)}-"
    time = f"{_numbers(calendar.hours)}:{_numbers(calendar.minutes)}:00 {calendar.zone}"
    weekdays = ",".join(_WEEKDAYS[day] for day in sorted(calendar.weekdays or ()))
    if calendar.either and calendar.weekdays is not None:
        yield f"{date}{_numbers(calendar.days)} {time}"
        yield f"{weekdays} {date}* {time}"
    else:
        yield f"{weekdays} {date}{_numbers(calendar.days)} {time}".lstrip()


def _numbers(values: Iterable[int] | None) -> str:
    return "*" if values is None else ",".join(f"{value:02}" for value in sorted(set(values)))


# -- intervals ------------------------------------------------------------------------------------------------


def _whole(instant: datetime) -> datetime:
    """Return the first whole second at which this instant is due: a timer must not ring before."""
    instant = instant.astimezone(UTC)
    return instant.replace(microsecond=0) + timedelta(seconds=1 if instant.microsecond else 0)


@lru_cache(maxsize=1024)
def _is_pattern(seconds: int) -> bool:
    divides = DAY % seconds == 0 or (WEEK % seconds == 0 and seconds >= SHORTEST_LISTED)
    return divides and len(_pattern_texts(seconds, 0)) <= MOST_LINES


def _pattern(interval: Interval) -> Lines:
    since_monday = _whole(interval.anchor) - _MONDAY
    return Lines(_pattern_texts(interval.seconds, int(since_monday.total_seconds()) % interval.seconds))


def _pattern_texts(seconds: int, phase: int) -> tuple[str, ...]:
    """Return the lines of a period that divides a minute, an hour, a day or a week, ``phase`` after its beginning."""
    for cycle, written in ((60, _in_minute), (3600, _in_hour), (DAY, _in_day), (WEEK, _in_week)):
        if cycle % seconds == 0:
            return tuple(written(range(phase, cycle, seconds)))
    raise AssertionError(f"{seconds} s divides no week")


def _in_minute(times: range) -> Iterable[str]:
    yield f"*-*-* *:*:{_numbers(times)} UTC"


def _in_hour(times: range) -> Iterable[str]:
    for second, minutes in _by_remainder(times, 60).items():
        yield f"*-*-* *:{_numbers(minutes)}:{second:02} UTC"


def _in_day(times: range) -> Iterable[str]:
    """Group the times by minute and second, and then those groups that have the same hours."""
    same: dict[tuple[int, tuple[int, ...]], list[int]] = defaultdict(list)
    for within_hour, hours in _by_remainder(times, 3600).items():
        same[within_hour % 60, tuple(hours)].append(within_hour // 60)
    for (second, common), minutes in same.items():
        yield f"*-*-* {_numbers(common)}:{_numbers(minutes)}:{second:02} UTC"


def _in_week(times: range) -> Iterable[str]:
    same: dict[int, list[int]] = defaultdict(list)
    for time in times:
        same[time % DAY].append(time // DAY)
    for within_day, days in same.items():
        names = ",".join(_WEEKDAYS[(day + 1) % 7] for day in days)
        clock = f"{within_day // 3600:02}:{within_day // 60 % 60:02}:{within_day % 60:02}"
        yield f"{names} *-*-* {clock} UTC"


def _by_remainder(times: range, unit: int) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = defaultdict(list)
    for time in times:
        groups[time % unit].append(time // unit)
    return groups


def _listed(interval: Interval, end: datetime | None, now: datetime) -> Lines:
    period, anchor = timedelta(seconds=interval.seconds), _whole(interval.anchor)
    size = max(FEWEST_LISTED, WEEK // interval.seconds)
    first = max(0, (now - anchor) // period // size * size)
    last = min(_LAST, _whole(end)) if end else _LAST
    number_of_last = (last - anchor) // period
    numbers = range(first, min(first + 2 * size, number_of_last + 1))
    texts = tuple(_instant(anchor + number * period) for number in numbers)
    renewed = anchor + (first + size) * period if first + 2 * size <= number_of_last else None
    return Lines(texts, renewed)


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
