"""``runAt``: offsets, zones, and the two nights a year when wall clocks lie."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.run_at import RunAtFault, instant_of, parse_run_at

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KOLKATA = ZoneInfo("Asia/Kolkata")
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Chatham"]
).map(ZoneInfo)
MOMENTS = st.datetimes(min_value=datetime(2026, 3, 2), max_value=datetime(2090, 1, 1))  # noqa: DTZ001
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# -- what is written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-10T13:30:00+05:30", "2026-03-10T08:00:00"),
        ("2026-03-10T08:00:00Z", "2026-03-10T08:00:00"),
        ("2026-03-10T00:30:00-08:00", "2026-03-10T08:30:00"),
        ("2026-03-10T13:30:00", "2026-03-10T08:00:00"),
        ("2026-03-10T13:30", "2026-03-10T08:00:00"),
        ("2026-03-10 13:30:00", "2026-03-10T08:00:00"),
        ("2026-03-10T08:00:00.250Z", "2026-03-10T08:00:00.250000"),
        ("20260310T133000", "2026-03-10T08:00:00"),
        (" 2026-03-10T08:00:00Z ", "2026-03-10T08:00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59"),
    ],
)
def test_a_moment_is_read_in_its_own_offset_or_else_in_the_zone(text: str, instant: str) -> None:
    assert parse_run_at(text, KOLKATA, NOW) == utc(instant)


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "12:00",
        "T12:00",
        "1772366400",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-03-10T25:00:00Z",
        "2026-03-10T10:00:00+99:00",
        "2026-03-10T10:00:00 Europe/Berlin",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "\x00:",
        "٢٠٢٦-03-10T10:00:00Z",
    ],
)
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RunAtFault, match=r"2030-03-10T13:30:00\+05:30"):
        parse_run_at(text, KOLKATA, NOW)


@pytest.mark.parametrize("text", ["2027-03-10", "20270310", "2027-W10", ""])
def test_a_date_alone_is_refused(text: str) -> None:
    with pytest.raises(RunAtFault, match="names no time of day"):
        parse_run_at(text, KOLKATA, NOW)


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00Z", "2026-03-01T17:30:00", "2025-01-01T00:00:00+00:00"])
def test_the_past_and_the_present_are_refused_with_the_time_of_now(text: str) -> None:
    with pytest.raises(RunAtFault, match=r"in the past; it is 2026-03-01T12:00:00Z now"):
        parse_run_at(text, KOLKATA, NOW)


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(RunAtFault) as refused:
        parse_run_at("T" * 100_000, KOLKATA, NOW)

    assert len(str(refused.value)) < 200


# -- nights of changing clocks ------------------------------------------------------------------------------------

GAPS = [
    ("Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T01:00:00"),
    ("Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T01:00:00"),
    ("Europe/Berlin", "2026-03-29T02:59:59.999999", "2026-03-29T01:00:00"),
    ("America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:00:00"),
    ("Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:30:00"),
    ("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T10:00:00"),
]
OVERLAPS = [
    ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00"),
    ("America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00"),
    ("Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00"),
    ("Pacific/Kwajalein", "1969-09-30T12:00:00", "1969-09-30T01:00:00"),
]
EDGES = [
    ("Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59"),
    ("Europe/Berlin", "2026-03-29T03:00:00", "2026-03-29T01:00:00"),
    ("Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00"),
    ("Pacific/Apia", "2011-12-29T23:59:59", "2011-12-30T09:59:59"),
    ("Pacific/Apia", "2011-12-31T00:00:00", "2011-12-30T10:00:00"),
    ("Asia/Kolkata", "2026-03-10T13:30:00", "2026-03-10T08:00:00"),
]


@pytest.mark.parametrize(("zone", "wall", "instant"), GAPS)
def test_a_time_that_does_not_exist_is_the_first_instant_after_the_gap(zone: str, wall: str, instant: str) -> None:
    assert instant_of(datetime.fromisoformat(wall), ZoneInfo(zone)) == utc(instant)


@pytest.mark.parametrize(("zone", "wall", "instant"), OVERLAPS)
def test_a_time_that_happens_twice_is_the_first(zone: str, wall: str, instant: str) -> None:
    assert instant_of(datetime.fromisoformat(wall), ZoneInfo(zone)) == utc(instant)


@pytest.mark.parametrize(("zone", "wall", "instant"), EDGES)
def test_a_time_beside_a_change_is_what_the_clock_shows(zone: str, wall: str, instant: str) -> None:
    assert instant_of(datetime.fromisoformat(wall), ZoneInfo(zone)) == utc(instant)


# -- round trips ------------------------------------------------------------------------------------------------


@given(MOMENTS, OFFSETS)
def test_whatever_the_offset_the_instant_is_the_same(moment: datetime, offset: timezone) -> None:
    instant = moment.replace(tzinfo=UTC)

    assert parse_run_at(instant.astimezone(offset).isoformat(), KOLKATA, NOW) == instant


@given(MOMENTS, ZONES)
def test_an_instant_shown_by_a_clock_on_the_wall_is_read_back_unless_it_is_shown_twice(
    moment: datetime, zone: ZoneInfo
) -> None:
    shown = moment.replace(tzinfo=UTC).astimezone(zone)

    read = instant_of(shown.replace(tzinfo=None, fold=0), zone)

    assert read == (moment.replace(tzinfo=UTC) if shown.fold == 0 else shown.replace(fold=0).astimezone(UTC))


@given(MOMENTS, ZONES)
def test_any_time_of_day_becomes_an_instant_that_its_clock_shows_or_that_ends_a_gap(
    wall: datetime, zone: ZoneInfo
) -> None:
    shown = instant_of(wall, zone).astimezone(zone).replace(tzinfo=None)

    assert timedelta(0) <= shown - wall <= timedelta(hours=1)


@given(st.text(max_size=64))
def test_any_text_is_a_future_moment_or_a_fault(text: str) -> None:
    try:
        moment = parse_run_at(text, KOLKATA, NOW)
    except RunAtFault:
        return

    assert moment > NOW
