"""Where the bars of a chart stand."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pirunner.dashboard.chart import LEAST, LEAST_FAILED, draw, fill, nice, slots_of

NOW = datetime(2026, 3, 10, 14, 40, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("number", "top"),
    [(0, 2), (1, 2), (3, 4), (5, 6), (7, 10), (10, 10), (11, 20), (55, 60), (61, 100), (12345, 20000)],
)
def test_a_scale_ends_at_a_round_even_number(number: int, top: int) -> None:
    assert nice(number) == top


def test_the_last_slot_is_the_hour_that_has_begun() -> None:
    slots = slots_of(NOW, hours=1, count=24, zone=BERLIN)

    assert len(slots) == 24
    assert slots[-1].start == datetime(2026, 3, 10, 15, tzinfo=BERLIN)
    assert slots[0].start == datetime(2026, 3, 9, 16, tzinfo=BERLIN)


@pytest.mark.parametrize(("zone", "hour"), [(BERLIN, 12), (ZoneInfo("UTC"), 12), (KOLKATA, 18)])
def test_slots_of_hours_begin_by_the_local_clock(zone: ZoneInfo, hour: int) -> None:
    slots = slots_of(NOW, hours=6, count=28, zone=zone)

    assert slots[-1].start.hour == hour
    assert slots[-1].start <= NOW < slots[-1].end


def test_ends_fall_into_their_slots_and_others_are_left_out() -> None:
    slots = slots_of(NOW, hours=6, count=4, zone=ZoneInfo("UTC"))
    outside = slots[0].start.replace(year=2025)

    fill(slots, [(NOW.replace(hour=12, minute=0), "failed", 2), (NOW.replace(hour=14, minute=0), "failed", 3)])
    fill(slots, [(NOW.replace(hour=5, minute=0), "completed", 7), (outside, "completed", 100)])

    assert [slot.ended for slot in slots] == [{}, {"completed": 7}, {}, {"failed": 5}]


def test_few_failures_among_many_jobs_are_seen() -> None:
    slots = slots_of(NOW, hours=1, count=3, zone=ZoneInfo("UTC"))
    slots[0].ended = {"completed": 1_000_000, "failed": 1}
    slots[1].ended = {"completed": 1, "failed": 400}

    chart = draw(slots)

    assert chart.bars[0].completed_height == 100.0
    assert chart.bars[1].completed_height == LEAST
    assert chart.bars[0].failed_height == LEAST_FAILED
    assert chart.bars[1].failed_height == 100.0
    assert chart.bars[2].failed_height == chart.bars[2].completed_height == 0.0


def test_one_failure_is_never_a_hundred_percent() -> None:
    slots = slots_of(NOW, hours=1, count=1, zone=ZoneInfo("UTC"))
    slots[0].ended = {"completed": 100_000, "failed": 1}

    assert draw(slots).success_percent == "99.9"


def test_bars_stay_within_the_width() -> None:
    chart = draw(slots_of(NOW, hours=6, count=28, zone=KOLKATA))

    assert all(bar.x >= 0 and bar.x + bar.width <= 100 for bar in chart.bars)
