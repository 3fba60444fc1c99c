"""When the clocks of a zone are set forward or back."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

# Gaza will set its clocks back and forward again within a week (2040); none is known to do so within three days.
_STEP = timedelta(days=3)
_SECOND = timedelta(seconds=1)


class Shift(NamedTuple):
    """The first instant (UTC) of a new offset from UTC, and the offsets on both sides of it."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def old_wall(self) -> datetime:
        """What the clocks would have shown had nobody touched them."""
        return wall_of(self.at, self.before)

    @property
    def new_wall(self) -> datetime:
        """What they were set to."""
        return wall_of(self.at, self.after)


def wall_of(instant: datetime, offset: timedelta) -> datetime:
    """Return what a clock shows that is ``offset`` ahead of UTC."""
    return instant.replace(tzinfo=None) + offset


def offset_at(zone: ZoneInfo, instant: datetime) -> timedelta:
    """Return how far a zone is ahead of UTC."""
    return instant.astimezone(zone).utcoffset() or timedelta(0)


def first_shift(zone: ZoneInfo, after: datetime, until: datetime) -> Shift | None:
    """Return the first shift later than ``after`` and not later than ``until``, if there is one."""
    for year in range(after.year, until.year + 1):
        for shift in _shifts_of(zone, year):
            if after < shift.at <= until:
                return shift
    return None


@lru_cache(maxsize=2048)
def _shifts_of(zone: ZoneInfo, year: int) -> tuple[Shift, ...]:
    """Return the shifts later than the first instant of a year in UTC, until the first of the next one."""
    low, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    shifts = []
    while low < end:
        high = min(low + _STEP, end)
        if offset_at(zone, low) != offset_at(zone, high):
            shifts.append(_shift_between(zone, low, high))
        low = high
    return tuple(shifts)


def _shift_between(zone: ZoneInfo, low: datetime, high: datetime) -> Shift:
    """Halve the time between two instants of different offsets until the second of the shift is found."""
    before = offset_at(zone, low)
    while high - low > _SECOND:
        middle = low + (high - low) // (2 * _SECOND) * _SECOND
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return Shift(high, before, offset_at(zone, high))
