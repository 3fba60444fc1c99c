"""The instants at which a cron fires in a zone, through the nights when clocks are set.

**Times of day** (``30 2 * * *``, ``0 */2 * * *``): a time that does not exist fires once, at the first instant after
the gap; one that happens twice fires at the first.

**Elapsed time**, if the minute starts with a star (``*/15 * * * *``, ``* 2 * * *``) or every hour of the day is named
(``30 * * * *``): it fires whenever clocks show a time that it names, so in both passes of a repeated hour. It goes on
through a gap, and what a gap swallows and the other side of it does not make up for (all of ``*/15 2 * * *``; 02:20 of
``*/20 * * * *`` where clocks jump by half an hour) fires once, at the first instant after it. Where clocks are set back
by half an hour, a star counts the instant itself also with the minute that the old time had, so that there are never
more than N minutes between two fires of ``*/N * * * *``.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from jobs.run_at import instant_of
from schedules.cron import Cron
from schedules.shifts import Shift, first_shift, offset_at, wall_of

_TICK = timedelta(microseconds=1)


def fires_after(cron: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield the instants after this one (UTC) at which a cron fires in a zone, strictly ascending."""
    return _elapsed(cron, zone, after) if cron.runs_through else _times_of_day(cron, zone, after)


def _times_of_day(cron: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    last = after
    for wall in cron.walls_after(wall_of(after, offset_at(zone, after))):
        instant = instant_of(wall, zone)
        if instant > last:  # not the second pass of an hour, nor another time in the same gap
            yield instant
            last = instant


def _elapsed(cron: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    last, offset = after, offset_at(zone, after)
    while True:
        shift = None
        for wall in cron.walls_after(wall_of(last, offset)):
            instant = wall.replace(tzinfo=UTC) - offset
            shift = first_shift(zone, last, instant)
            if shift:
                break
            yield instant
            last = instant
        if shift is None:  # it names no further time
            return
        if _fires_at(cron, shift):
            yield shift.at
        last, offset = shift.at, shift.after


def _fires_at(cron: Cron, shift: Shift) -> bool:
    """Return whether a cron of elapsed time fires at the instant when clocks are set."""
    old, new = shift.old_wall, shift.new_wall
    if cron.matches(new):
        return True
    if new < old:
        return cron.strides and old.second == 0 and old.minute in cron.minutes and cron.matches_hour(new)
    swallowed = takewhile(lambda wall: wall < new, cron.walls_after(old - _TICK))
    return any(not cron.matches(wall + (new - old)) for wall in swallowed)
