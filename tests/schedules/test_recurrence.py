"""Recurrences: what comes next, what lies between, and what came last."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.recurrence import (
    CronIn,
    Every,
    Once,
    Recurrence,
    between,
    count_between,
    describe,
    latest_at_or_before,
    never_fires,
    next_after,
)
from tests.schedules.crons import CRONS, INSTANTS, ZONES
from tests.schedules.fires import cron_in, utc

ANCHOR = utc("2026-05-05T12:00")
BERLIN = ZoneInfo("Europe/Berlin")
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
WEEK = timedelta(weeks=1)


def in_window(recurrence: CronIn, start: str | None, end: str | None) -> CronIn:
    return CronIn(recurrence.cron, recurrence.zone, start=utc(start) if start else None, end=utc(end) if end else None)


# -- once -----------------------------------------------------------------------------------------------------


def test_once_fires_at_its_instant_and_never_again() -> None:
    once = Once(ANCHOR)

    assert next_after(once, ANCHOR - TICK) == ANCHOR
    assert next_after(once, ANCHOR) is None
    assert latest_at_or_before(once, ANCHOR) == ANCHOR
    assert latest_at_or_before(once, ANCHOR - TICK) is None
    assert count_between(once, ANCHOR - WEEK, ANCHOR) == 1


# -- intervals ------------------------------------------------------------------------------------------------


def test_the_anchor_is_the_first_fire_of_an_interval() -> None:
    every = Every(90, ANCHOR)

    assert next_after(every, ANCHOR - WEEK) == ANCHOR
    assert between(every, ANCHOR, ANCHOR + 4 * 90 * SECOND, 3) == [ANCHOR + n * 90 * SECOND for n in (1, 2, 3)]
    assert latest_at_or_before(every, ANCHOR + 179 * SECOND) == ANCHOR + 90 * SECOND
    assert latest_at_or_before(every, ANCHOR) == ANCHOR
    assert latest_at_or_before(every, ANCHOR - TICK) is None


def test_an_interval_does_not_drift_however_late_one_asks() -> None:
    every = Every(1.1, ANCHOR)
    asked = ANCHOR
    for n in range(1, 1001):
        found = next_after(every, asked)
        assert found == ANCHOR + n * timedelta(seconds=1.1)
        asked = found + timedelta(seconds=(n % 11) / 10.1)


def test_a_second_schedule_that_was_off_for_years_is_reckoned_at_once() -> None:
    every, now = Every(1, ANCHOR), ANCHOR + timedelta(days=3650, microseconds=7)

    assert count_between(every, ANCHOR, now) == 3650 * 86_400
    assert latest_at_or_before(every, now) == now - 7 * TICK
    assert next_after(every, now) == now - 7 * TICK + SECOND


@pytest.mark.parametrize("seconds", [0.999, 0, -5, float("nan"), float("inf"), 1e15])
def test_a_period_is_a_second_at_least_and_shorter_than_the_calendar(seconds: float) -> None:
    with pytest.raises(ValueError, match="period"):
        Every(seconds, ANCHOR)


def test_an_interval_ends_with_the_calendar() -> None:
    every = Every(80_000_000_000, ANCHOR)

    assert between(every, ANCHOR - TICK, utc("9999-12-31"), 1000)[-1].year > 7000
    assert next_after(every, utc("9999-12-31")) is None
    assert latest_at_or_before(every, utc("0001-01-03")) is None


@given(
    seconds=st.floats(1, 1e6),
    anchor=st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    away=st.timedeltas(timedelta(days=-400), timedelta(days=400)),
)
def test_next_and_latest_of_an_interval_are_neighbours(seconds: float, anchor: datetime, away: timedelta) -> None:
    every = Every(seconds, anchor)
    latest, following = latest_at_or_before(every, anchor + away), next_after(every, anchor + away)

    assert following is not None
    assert (following - anchor) % every.period == timedelta(0)
    if latest is None:
        assert (following, away < timedelta(0)) == (anchor, True)
    else:
        assert following - latest == every.period
        assert latest <= anchor + away < following
        assert count_between(every, latest, following) == 1


# -- crons ----------------------------------------------------------------------------------------------------


def test_a_cron_is_read_on_the_clocks_of_its_zone() -> None:
    found = between(cron_in("0 9 * * 1-5", ZoneInfo("Asia/Kolkata")), utc("2026-05-08T03:30"), utc("2026-05-13"), 9)

    assert found == [utc("2026-05-11T03:30"), utc("2026-05-12T03:30")]


def test_an_instant_may_be_given_in_any_zone_and_comes_back_in_utc() -> None:
    asked = utc("2026-05-05T06:59").astimezone(timezone(timedelta(hours=9)))

    found = next_after(cron_in("0 9 * * *", BERLIN), asked)

    assert found == utc("2026-05-05T07:00")
    assert found.tzinfo is UTC


def test_a_cron_counts_no_further_than_its_limit() -> None:
    every_minute = cron_in("* * * * *", BERLIN)

    assert count_between(every_minute, ANCHOR, ANCHOR + WEEK) == 7 * 24 * 60
    assert count_between(every_minute, ANCHOR, ANCHOR + WEEK, 100) == 100


@pytest.mark.parametrize(
    ("text", "latest"),
    [
        ("* * * * *", "2026-05-05T12:00"),
        ("1 * * * *", "2026-05-05T11:01"),
        ("59 23 * * *", "2026-05-04T21:59"),
        ("* * * 1 *", "2026-01-31T22:59"),
        ("0 0 29 2 *", "2024-02-28T23:00"),
        ("0 0 29 2 */7", "2004-02-28T23:00"),
    ],
)
def test_the_latest_fire_is_found_however_long_ago_it_was(text: str, latest: str) -> None:
    assert latest_at_or_before(cron_in(text, BERLIN), ANCHOR) == utc(latest)


@pytest.mark.parametrize(
    ("recurrence", "never"),
    [
        (cron_in("0 0 30 2 *", BERLIN), True),
        (cron_in("0 0 LW * */7", BERLIN), True),
        (cron_in("0 0 29 2 */7", BERLIN), False),
        (cron_in("* * * * *", BERLIN), False),
        (in_window(cron_in("0 0 29 2 *", BERLIN), "2026-03-01", "2028-01-01"), True),
        (in_window(cron_in("0 0 29 2 *", BERLIN), "2026-03-01", "2029-01-01"), False),
        (in_window(cron_in("0 9 * * *", BERLIN), "2026-05-05T07:00", "2026-05-05T07:00"), False),
        (Once(ANCHOR), False),
        (Once(ANCHOR, end=ANCHOR - TICK), True),
        (Every(60, ANCHOR, end=ANCHOR), False),
        (Every(60, ANCHOR, start=ANCHOR + TICK, end=ANCHOR + 59 * SECOND), True),
    ],
    ids=lambda value: describe(value) if not isinstance(value, bool) else str(value),
)
def test_what_never_fires_is_found_out(recurrence: Recurrence, never: bool) -> None:
    assert never_fires(recurrence) is never
    if never:
        assert next_after(recurrence, utc("2020-01-01")) is None
        assert latest_at_or_before(recurrence, utc("2060-01-01")) is None


def test_a_cron_ends_with_the_calendar() -> None:
    assert next_after(cron_in("0 0 29 2 *", BERLIN), utc("9998-01-01")) is None
    assert next_after(cron_in("* * * * *", BERLIN), datetime.max.replace(tzinfo=UTC)) is None


# -- windows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "recurrence",
    [
        Every(3600, ANCHOR - WEEK, start=ANCHOR, end=ANCHOR + 3 * 3600 * SECOND),
        in_window(cron_in("0 * * * *", BERLIN), "2026-05-05T12:00", "2026-05-05T15:00"),
    ],
    ids=["interval", "cron"],
)
def test_start_and_end_may_be_fires_themselves_and_nothing_fires_beyond(recurrence: Recurrence) -> None:
    hours = [ANCHOR + n * 3600 * SECOND for n in range(4)]

    assert between(recurrence, ANCHOR - WEEK, ANCHOR + WEEK, 100) == hours
    assert count_between(recurrence, ANCHOR - WEEK, ANCHOR + WEEK) == 4
    assert count_between(recurrence, ANCHOR + WEEK, ANCHOR + 2 * WEEK) == 0
    assert next_after(recurrence, hours[-1]) is None
    assert latest_at_or_before(recurrence, ANCHOR + WEEK) == hours[-1]
    assert latest_at_or_before(recurrence, ANCHOR - TICK) is None
    assert latest_at_or_before(recurrence, ANCHOR) == ANCHOR


# -- in words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recurrence", "sentence"),
    [
        (Once(ANCHOR), "Once, at 2026-05-05 12:00:00 UTC."),
        (Every(1, ANCHOR), "Every second, counted from 2026-05-05 12:00:00 UTC."),
        (Every(1.5, ANCHOR), "Every 1.5 seconds, counted from 2026-05-05 12:00:00 UTC."),
        (Once(ANCHOR, end=ANCHOR), "Once, at 2026-05-05 12:00:00 UTC."),
        (
            Every(60, ANCHOR, end=ANCHOR),
            "Every minute, counted from 2026-05-05 12:00:00 UTC. Not after 2026-05-05 12:00:00 UTC.",
        ),
        (Every(1234567, ANCHOR), "Every 1234567 seconds, counted from 2026-05-05 12:00:00 UTC."),
        (Every(90, ANCHOR), "Every 90 seconds, counted from 2026-05-05 12:00:00 UTC."),
        (Every(5400, ANCHOR), "Every 90 minutes, counted from 2026-05-05 12:00:00 UTC."),
        (Every(86_400, ANCHOR), "Every day, counted from 2026-05-05 12:00:00 UTC."),
        (Every(1_209_600, ANCHOR), "Every 2 weeks, counted from 2026-05-05 12:00:00 UTC."),
        (
            in_window(cron_in("0 9 * * *", BERLIN), "2026-05-05", None),
            "At 09:00 every day, in the zone Europe/Berlin. Not before 2026-05-05 00:00:00 UTC.",
        ),
    ],
)
def test_a_recurrence_is_described_in_english(recurrence: Recurrence, sentence: str) -> None:
    assert describe(recurrence) == sentence


# -- any cron in any zone -------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(text=CRONS, zone=ZONES, asked=INSTANTS)
def test_next_and_latest_of_a_cron_are_neighbours(text: str, zone: ZoneInfo, asked: datetime) -> None:
    recurrence = cron_in(text, zone)
    latest, following = latest_at_or_before(recurrence, asked), next_after(recurrence, asked)

    if latest is None or following is None:
        assert never_fires(recurrence)
    else:
        assert latest <= asked < following
        assert next_after(recurrence, latest) == following
        assert between(recurrence, latest - TICK, following, 10) == [latest, following]
