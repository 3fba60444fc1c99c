"""The nights when clocks are set, as golden tables and minute by minute."""

from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise

import pytest

from tests.schedules.fires import MINUTE, NIGHTS, fires, night, reading

BESIDE = timedelta(hours=6)


def written(text: str, name: str) -> str:
    """The fires of two hours before and after clocks are set, each as its reading and its offset."""
    zone, shift = night(name)
    around = timedelta(hours=2)
    found = fires(text, zone, shift - around, shift + around)
    return " ".join(f"{fire.astimezone(zone):%H:%M%z}".removesuffix("00") for fire in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/30 * * * *", "00:00+01 00:30+01 01:00+01 01:30+01 03:00+02 03:30+02 04:00+02 04:30+02 05:00+02"),
        ("0 * * * *", "00:00+01 01:00+01 03:00+02 04:00+02 05:00+02"),
        ("30 * * * *", "00:30+01 01:30+01 03:30+02 04:30+02"),
        ("7,22 * * * *", "00:07+01 00:22+01 01:07+01 01:22+01 03:07+02 03:22+02 04:07+02 04:22+02"),
        ("*/30 2 * * *", "03:00+02"),
        ("*/30 2-3 * * *", "03:00+02 03:30+02"),
        ("30 2 * * *", "03:00+02"),
        ("30 1,2,3 * * *", "01:30+01 03:00+02 03:30+02"),
        ("0,15,30 2 * * *", "03:00+02"),
        ("0 3 * * *", "03:00+02"),
        ("0 */2 * * *", "00:00+01 03:00+02 04:00+02"),
        ("0 2,3 * * *", "03:00+02"),
    ],
)
def test_berlin_sets_its_clocks_from_two_to_three(text: str, expected: str) -> None:
    assert written(text, "Berlin, spring") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/30 * * * *", "01:00+02 01:30+02 02:00+02 02:30+02 02:00+01 02:30+01 03:00+01 03:30+01 04:00+01"),
        ("0 * * * *", "01:00+02 02:00+02 02:00+01 03:00+01 04:00+01"),
        ("30 * * * *", "01:30+02 02:30+02 02:30+01 03:30+01"),
        ("*/30 2 * * *", "02:00+02 02:30+02 02:00+01 02:30+01"),
        ("30 2 * * *", "02:30+02"),
        ("0,30 2 * * *", "02:00+02 02:30+02"),
        ("0 3 * * *", "03:00+01"),
        ("0 */2 * * *", "02:00+02 04:00+01"),
        ("59 1,2 * * *", "01:59+02 02:59+02"),
    ],
)
def test_berlin_sets_its_clocks_from_three_back_to_two(text: str, expected: str) -> None:
    assert written(text, "Berlin, autumn") == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("New York, spring", "30 2 * * *", "03:00-04"),
        ("New York, spring", "*/30 1-3 * * *", "01:00-05 01:30-05 03:00-04 03:30-04"),
        ("New York, autumn", "30 1 * * *", "01:30-04"),
        ("New York, autumn", "*/30 1 * * *", "01:00-04 01:30-04 01:00-05 01:30-05"),
        ("New York, autumn", "0 * * * *", "00:00-04 01:00-04 01:00-05 02:00-05 03:00-05"),
        ("Cairo, at midnight", "0 0 * * *", "01:00+03"),
        ("Cairo, at midnight", "0 0 24 4 *", "01:00+03"),
        ("Cairo, at midnight", "*/30 0 24 4 *", "01:00+03"),
        ("Havana, back past midnight", "0 0 * * *", "00:00-04"),
        ("St Johns, a minute after midnight", "0 0 * * *", "00:00-0230"),
        ("St Johns, a minute after midnight", "0 * * * *", "23:00-0230 00:00-0230 00:00-0330 01:00-0330"),
    ],
)
def test_other_clocks_are_set_at_other_times(name: str, text: str, expected: str) -> None:
    assert written(text, name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/15 1-2 * * *", "01:00+1030 01:15+1030 01:30+1030 01:45+1030 02:30+11 02:45+11"),
        ("*/20 1-2 * * *", "01:00+1030 01:20+1030 01:40+1030 02:30+11 02:40+11"),
        ("*/20 1-3 * * *", "01:00+1030 01:20+1030 01:40+1030 02:30+11 02:40+11 03:00+11 03:20+11 03:40+11"),
        ("0 * * * *", "00:00+1030 01:00+1030 02:30+11 03:00+11 04:00+11"),
        ("15 2 * * *", "02:30+11"),
        ("30 2 * * *", "02:30+11"),
        ("45 2 * * *", "02:45+11"),
    ],
)
def test_lord_howe_sets_its_clocks_half_an_hour_forward(text: str, expected: str) -> None:
    assert written(text, "Lord Howe, spring") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/15 1 * * *", "01:00+11 01:15+11 01:30+11 01:45+11 01:30+1030 01:45+1030"),
        ("*/20 1-2 * * *", "01:00+11 01:20+11 01:40+11 01:30+1030 01:40+1030 02:00+1030 02:20+1030 02:40+1030"),
        ("*/20 2 * * *", "02:00+1030 02:20+1030 02:40+1030"),
        ("0 * * * *", "00:00+11 01:00+11 02:00+1030 03:00+1030"),
        ("45 * * * *", "00:45+11 01:45+11 01:45+1030 02:45+1030"),
        ("45 1 * * *", "01:45+11"),
        ("0 2 * * *", "02:00+1030"),
    ],
)
def test_lord_howe_sets_its_clocks_half_an_hour_back(text: str, expected: str) -> None:
    assert written(text, "Lord Howe, autumn") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 9 * * *", "29T09:00 31T00:00 31T09:00 01T09:00"),
        ("0 9 30 12 *", "31T00:00"),
        ("15 * 30 12 *", "31T00:00"),
        ("*/15 12 30 12 *", "31T00:00"),
        ("0 0 31 12 *", "31T00:00"),
        ("0 9 * * FRI", "31T00:00"),
        ("0 */8 * * *", "29T00:00 29T08:00 29T16:00 31T00:00 31T08:00 31T16:00 01T00:00 01T08:00 01T16:00"),
        ("30 */8 * * *", "29T00:30 29T08:30 29T16:30 31T00:00 31T00:30 31T08:30 31T16:30 01T00:30 01T08:30 01T16:30"),
    ],
)
def test_samoa_had_no_30_december_in_2011(text: str, expected: str) -> None:
    zone, shift = night("Apia, a whole day")

    found = fires(text, zone, shift - timedelta(days=1), shift + timedelta(days=2) - MINUTE)

    assert " ".join(f"{fire.astimezone(zone):%dT%H:%M}" for fire in found) == expected


# -- every minute of every night ------------------------------------------------------------------------------


@lru_cache(maxsize=len(NIGHTS))
def minutes_of(name: str) -> dict[datetime, datetime]:
    """Every minute of a night, with what the clocks show."""
    zone, shift = night(name)
    minutes = [shift - BESIDE + n * MINUTE for n in range(int(2 * BESIDE / MINUTE) + 1)]
    return {instant: reading(instant, zone) for instant in minutes}


def fires_of(text: str, name: str) -> list[datetime]:
    zone, shift = night(name)
    return fires(text, zone, shift - BESIDE, shift + BESIDE)


@pytest.mark.parametrize("name", NIGHTS)
def test_a_stride_fires_at_each_of_its_minutes_and_leaves_no_longer_a_pause(name: str) -> None:
    minutes, shift = minutes_of(name), night(name)[1]
    for stride in range(1, 60):
        found = fires_of(f"*/{stride} * * * *", name)

        named = {instant for instant, shown in minutes.items() if shown.minute % stride == 0}
        assert named <= set(found) <= named | {shift}
        assert max(later - fire for fire, later in pairwise(found)) <= stride * MINUTE


@pytest.mark.parametrize("name", [name for name in NIGHTS if "Lord Howe" not in name and "St Johns" not in name])
@pytest.mark.parametrize("minutes", ["*/15", "*/20", "*/30", "0", "17", "45", "3,33"])
def test_where_clocks_are_set_by_hours_nothing_can_be_seen_of_it_in_utc(name: str, minutes: str) -> None:
    found = fires_of(f"{minutes} * * * *", name)

    other_minutes = {instant.minute for instant in found}
    assert set(found) == {instant for instant in minutes_of(name) if instant.minute in other_minutes}
    assert len(found) in {12 * len(other_minutes), 12 * len(other_minutes) + 1}  # both ends are looked at


def expected_instant(wall: datetime, name: str) -> datetime:
    """The first minute at which clocks show a time, or else the first at which they show a later one."""
    minutes = minutes_of(name)
    same = [instant for instant, shown in minutes.items() if shown == wall]
    return same[0] if same else next(instant for instant, shown in minutes.items() if shown > wall)


@pytest.mark.parametrize("name", [name for name in NIGHTS if "whole day" not in name])
def test_every_time_of_day_of_the_night_fires_once(name: str) -> None:
    zone, shift = night(name)
    first = reading(shift, zone) - timedelta(hours=3)
    for wall in (first + n * MINUTE for n in range(6 * 60)):
        text = f"{wall.minute} {wall.hour} {wall.day} {wall.month} *"

        assert fires_of(text, name) == [expected_instant(wall, name)], text


def test_a_second_pass_is_not_taken_for_the_first_by_who_asks_during_it() -> None:
    zone, shift = night("Berlin, autumn")

    found = fires("30 2 * * *", zone, shift + 10 * MINUTE, shift + timedelta(days=1))

    assert found == []
    assert reading(fires("30 2 * * *", zone, shift, shift + timedelta(days=2))[0], zone).day == 26


def test_kolkata_never_sets_its_clocks() -> None:
    name = "Kolkata, always"

    assert [reading(fire, night(name)[0]).isoformat() for fire in fires_of("30 2 * * *", name)] == [
        "2026-03-29T02:30:00"
    ]
    assert len(fires_of("*/15 * * * *", name)) == 12 * 4 + 1
