"""Crons: what is read, what is refused and how, and the wall-clock times that they name."""

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from schedules.cron import CronFault, parse_cron


def walls(text: str, after: str, count: int = 4) -> list[str]:
    """The next readings of a clock that a cron names, without their seconds."""
    found = islice(parse_cron(text).walls_after(datetime.fromisoformat(after)), count)
    return [wall.isoformat(" ", "minutes") for wall in found]


# -- what is written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "minutes", "hours"),
    [
        ("* * * * *", list(range(60)), list(range(24))),
        ("*/20 */8 * * *", [0, 20, 40], [0, 8, 16]),
        ("5/20 9-17/4 * * *", [5, 25, 45], [9, 13, 17]),
        ("1,3,1 0,23 * * *", [1, 3], [0, 23]),
        ("0-5/2,59 * * * *", [0, 2, 4, 59], list(range(24))),
        ("  0\t9 * *  * ", [0], [9]),
        ("00 09 * * *", [0], [9]),
    ],
)
def test_lists_ranges_and_steps_are_read(text: str, minutes: list[int], hours: list[int]) -> None:
    cron = parse_cron(text)

    assert (list(cron.minutes), list(cron.hours)) == (minutes, hours)


def test_a_cron_is_kept_with_single_blanks() -> None:
    assert parse_cron(" 0  9 * *\tmon ").text == "0 9 * * mon"


@pytest.mark.parametrize(
    ("text", "field", "position", "said"),
    [
        ("60 * * * *", "minute", 0, ["'60'", "0 to 59"]),
        ("*/0 * * * *", "minute", 0, ["'*/0'"]),
        ("5-5/15 * * * *", "minute", 0, ["'5-5/15'"]),
        ("1,,2 * * * *", "minute", 0, ["an empty term"]),
        ("-5 * * * *", "minute", 0, ["'-5'"]),
        ("٣ * * * *", "minute", 0, ["0 to 59"]),
        ("0 24 * * *", "hour", 1, ["'24'", "0 to 23"]),
        ("0 9-17/x * * *", "hour", 1, ["'9-17/x'"]),
        ("0 9,25 * * *", "hour", 1, ["'25'"]),
        ("0 0 0 * *", "day of month", 2, ["'0'", "1 to 31"]),
        ("0 0 ? * *", "day of month", 2, ["'?'"]),
        ("0 0 1 13 *", "month", 3, ["'13'", "JAN to DEC"]),
        ("0 0 1 MAI *", "month", 3, ["'MAI'"]),
        ("0 0 * * 8", "day of week", 4, ["'8'", "SUN to SAT"]),
        ("0 0 * * SAT-SUN", "day of week", 4, ["'SAT-SUN'", "ascending"]),
        ("0 0 * * MON#6", "day of week", 4, ["'MON#6'"]),
        ("99 99 * * *", "minute", 0, ["'99'"]),
    ],
)
def test_the_bad_field_is_named_with_what_it_takes(text: str, field: str, position: int, said: list[str]) -> None:
    with pytest.raises(CronFault) as caught:
        parse_cron(text)

    assert (caught.value.field, caught.value.position) == (field, position)
    assert all(words in caught.value.message for words in [*said, field])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has 0"),
        ("* * * *", "has 4"),
        ("0 0 9 * * *", "leave out the seconds"),
        ("0 0 9 * * * 2030", "has 7"),
        ("@daily", "write @daily as 0 0 * * *"),
        ("@Hourly ", "as 0 * * * *"),
        ("@reboot", "has 1"),
        ("1" * 5000 + " * * * *", "500 characters"),
    ],
)
def test_anything_but_five_fields_is_refused_with_the_form_of_a_cron(text: str, said: str) -> None:
    with pytest.raises(CronFault, match=r"five fields: minute, hour, day of month, month, day of week") as caught:
        parse_cron(text)

    assert said in caught.value.message
    assert (caught.value.field, caught.value.position) == ("cron", None)


# -- the times that are meant ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("30 9 * * *", "2026-05-05 09:30", ["2026-05-06 09:30", "2026-05-07 09:30"]),
        ("30 9 * * *", "2026-05-05 09:29:59.999999", ["2026-05-05 09:30", "2026-05-06 09:30"]),
        ("0 9 * jan,Mar MON-fri", "2026-01-30 10:00", ["2026-03-02 09:00", "2026-03-03 09:00"]),
        ("0 0 * * 7", "2026-05-05", ["2026-05-10 00:00", "2026-05-17 00:00"]),
        ("0 0 * * 0", "2026-05-05", ["2026-05-10 00:00", "2026-05-17 00:00"]),
        ("59 23 31 12 *", "2026-05-05", ["2026-12-31 23:59", "2027-12-31 23:59"]),
        ("0 0 31 * *", "2026-01-31", ["2026-03-31 00:00", "2026-05-31 00:00"]),
        ("0 0 30 * *", "2026-01-30", ["2026-03-30 00:00", "2026-04-30 00:00"]),
        ("0 0 L * *", "2027-01-31", ["2027-02-28 00:00", "2027-03-31 00:00"]),
        ("0 0 LW * *", "2026-05-05", ["2026-05-29 00:00", "2026-06-30 00:00"]),
        ("0 0 * * 5L", "2026-05-05", ["2026-05-29 00:00", "2026-06-26 00:00"]),
        ("0 0 * * MON#2", "2026-05-05", ["2026-05-11 00:00", "2026-06-08 00:00"]),
        ("0 0 29 2 *", "2026-05-05", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 29 2 *", "2096-02-29", ["2104-02-29 00:00", "2108-02-29 00:00"]),
        ("0 0 29 2 */7", "2088-03-01", ["2128-02-29 00:00", "2156-02-29 00:00"]),
    ],
)
def test_months_end_leap_and_name_their_days(text: str, after: str, expected: list[str]) -> None:
    assert walls(text, after, 2) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 13 * FRI", ["2026-05-08", "2026-05-13", "2026-05-15", "2026-05-22"]),
        ("0 0 1-7 * MON", ["2026-05-06", "2026-05-07", "2026-05-11", "2026-05-18"]),
        ("0 0 */2 * MON", ["2026-05-11", "2026-05-25", "2026-06-01", "2026-06-15"]),
        ("0 0 13 * */5", ["2026-09-13", "2026-11-13", "2026-12-13", "2027-06-13"]),
        ("0 0 * * MON", ["2026-05-11", "2026-05-18", "2026-05-25", "2026-06-01"]),
    ],
    ids=["either", "either, a range", "both, star by day", "both, star by weekday", "weekday alone"],
)
def test_two_day_fields_are_either_or_unless_one_starts_with_a_star(text: str, expected: list[str]) -> None:
    assert walls(text, "2026-05-05") == [f"{day} 00:00" for day in expected]


@pytest.mark.parametrize("text", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30-31 FEB *", "0 0 LW * */7"])
def test_a_day_that_never_comes_is_read_and_yields_nothing(text: str) -> None:
    assert walls(text, "2026-05-05") == []


def test_the_calendar_ends_with_the_year_9999() -> None:
    assert walls("0 0 1 * *", "9999-10-15") == ["9999-11-01 00:00", "9999-12-01 00:00"]


# -- in words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 9 * * 1-5", "At 09:00 on Monday through Friday, in the zone Asia/Kolkata."),
        ("*/15 * * * *", "Every 15th minute of every hour, in the zone Asia/Kolkata."),
        ("0 0 29 feb *", "At 00:00 on February 29, in the zone Asia/Kolkata."),
        ("0 0 30 2 *", "At 00:00 on February 30, in the zone Asia/Kolkata."),
    ],
)
def test_a_cron_is_explained_in_english(text: str, sentence: str) -> None:
    assert parse_cron(text).describe(ZoneInfo("Asia/Kolkata")) == sentence
