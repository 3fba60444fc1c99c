"""Any cron in any zone fires when cronsim says, but for the nights when clocks are set."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from hypothesis import given, settings

from schedules.recurrence import between
from schedules.shifts import first_shift
from tests.schedules.crons import CRONS, INSTANTS, ZONES
from tests.schedules.fires import cron_in

A_YEAR = timedelta(days=366)
BESIDE_A_SHIFT = timedelta(hours=27)
AT_MOST = 1200


def said_by_cronsim(text: str, zone: ZoneInfo, asked: datetime) -> Iterator[datetime]:
    try:
        yield from (fire.astimezone(UTC) for fire in CronSim(text, asked.astimezone(zone)))
    except CronSimError:  # a day that no month has
        return


def far_from_shifts(found: list[datetime], zone: ZoneInfo, last: datetime) -> list[datetime]:
    return [
        fire for fire in found if fire <= last and not first_shift(zone, fire - BESIDE_A_SHIFT, fire + BESIDE_A_SHIFT)
    ]


@settings(max_examples=120, deadline=None)
@given(text=CRONS, zone=ZONES, asked=INSTANTS)
def test_the_fires_of_a_year_are_those_of_cronsim(text: str, zone: ZoneInfo, asked: datetime) -> None:
    ours = between(cron_in(text, zone), asked, asked + A_YEAR, AT_MOST)
    theirs = list(islice(takewhile(lambda fire: fire <= asked + A_YEAR, said_by_cronsim(text, zone, asked)), AT_MOST))

    assert all(fire < later for fire, later in pairwise([asked, *ours]))
    complete = len(ours) < AT_MOST and len(theirs) < AT_MOST
    last = asked + A_YEAR if complete else min(ours[-1], theirs[-1])
    assert far_from_shifts(ours, zone, last) == far_from_shifts(theirs, zone, last)
