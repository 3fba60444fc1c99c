"""When clocks are set: found to the second, and none overlooked."""

import zoneinfo
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from schedules.shifts import first_shift, offset_at
from tests.schedules.fires import NIGHTS, night, utc

A_DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("name", [name for name in NIGHTS if "Kolkata" not in name])
def test_a_shift_is_found_to_the_second(name: str) -> None:
    zone, instant = night(name)

    shift = first_shift(zone, instant - SECOND, instant)

    assert shift is not None
    assert shift.at == instant
    assert (shift.before, shift.after) == (offset_at(zone, instant - SECOND), offset_at(zone, instant))
    assert first_shift(zone, instant, instant + A_DAY) is None
    assert first_shift(zone, instant - A_DAY, instant - SECOND) is None


@pytest.mark.parametrize("year", [2026, 2040])
def test_none_is_overlooked_in_any_zone(year: int) -> None:
    """Not even in Gaza, where clocks are to be set twice within a week in 2040."""
    days = [utc(f"{year}-01-01") + n * A_DAY for n in range(366)]
    for name in sorted(zoneinfo.available_timezones()):
        zone = ZoneInfo(name)
        offsets = [offset_at(zone, day) for day in days]
        for day, before, after in zip(days, offsets, offsets[1:], strict=False):
            shift = first_shift(zone, day, day + A_DAY)
            assert (shift and shift.after - shift.before) == (after - before or None), (name, day)
