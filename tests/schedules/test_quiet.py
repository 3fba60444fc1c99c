"""Quiet hours and jitter."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from schedules.quiet import QuietHoursFault, jitter_of, parse_quiet_hours, quiet
from tests.schedules.fires import utc

KOLKATA = ZoneInfo("Asia/Kolkata")
NIGHT = parse_quiet_hours("22:00", "07:00")
NOON = parse_quiet_hours("12:30", "13:30")


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        ("21:59:59", False),
        ("22:00:00", True),
        ("00:00:00", True),
        ("06:59:59", True),
        ("07:00:00", False),
        ("12:29:00", False),
        ("12:30:00", True),
        ("13:29:59", True),
        ("13:30:00", False),
    ],
)
def test_hours_are_quiet_from_their_start_until_before_their_end(reading: str, expected: bool) -> None:
    instant = utc(f"2026-05-05T{reading}") - timedelta(hours=5, minutes=30)

    assert quiet(instant, KOLKATA, [NIGHT, NOON]) is expected


def test_without_hours_nothing_is_quiet() -> None:
    assert not quiet(utc("2026-05-05"), KOLKATA, [])


def test_24_o_clock_is_the_end_of_the_day() -> None:
    evening = parse_quiet_hours("22:00", "24:00")

    assert quiet(utc("2026-05-05T23:59"), ZoneInfo("UTC"), [evening])
    assert not quiet(utc("2026-05-05T00:00"), ZoneInfo("UTC"), [evening])


@pytest.mark.parametrize(("start", "end"), [("22", "07:00"), ("22:00", "7:00"), ("25:00", "07:00"), ("", "24:30")])
def test_what_is_no_time_of_day_is_refused(start: str, end: str) -> None:
    with pytest.raises(QuietHoursFault, match="write it like 22:00"):
        parse_quiet_hours(start, end)


@pytest.mark.parametrize(("start", "end"), [("22:00", "22:00"), ("00:00", "24:00")])
def test_a_whole_day_of_quiet_is_refused(start: str, end: str) -> None:
    with pytest.raises(QuietHoursFault, match="pause the schedule"):
        parse_quiet_hours(start, end)


def test_jitter_is_the_same_for_whoever_asks() -> None:
    due = utc("2026-05-05T09:00")

    assert jitter_of("a", due, 300) == jitter_of("a", due.astimezone(KOLKATA), 300)
    assert jitter_of("a", due, 300) != jitter_of("b", due, 300)
    assert jitter_of("a", due, 0) == timedelta(0)


def test_a_fleet_is_spread_evenly() -> None:
    due = utc("2026-05-05T09:00")
    minutes = [0] * 5
    for number in range(5000):
        minutes[int(jitter_of(f"schedule-{number}", due, 300) / timedelta(minutes=1))] += 1

    assert all(900 < count < 1100 for count in minutes)
