"""Crons: read as pirunner's own reader does, less what systemd does not know."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installer.crons import calendar_of
from installer.refusals import Inexpressible
from installer.schema import Calendar
from schedules.cron import CronFault, parse_cron
from tests.schedules.crons import CRONS

FIRST = date(2027, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(800)]


def names_day(calendar: Calendar, day: date) -> bool:
    of_month = calendar.days is None or day.day in calendar.days
    of_week = calendar.weekdays is None or day.isoweekday() % 7 in calendar.weekdays
    fits = (of_month or of_week) if calendar.either else (of_month and of_week)
    return fits and (calendar.months is None or day.month in calendar.months)


def all_of(values: tuple[int, ...] | None, count: int) -> tuple[int, ...]:
    return tuple(range(count)) if values is None else values


def agree(text: str) -> None:
    cron, calendar = parse_cron(text), calendar_of(text, "UTC")
    assert all_of(calendar.minutes, 60) == cron.minutes
    assert all_of(calendar.hours, 24) == cron.hours
    for day in DAYS:
        named = cron.day_rule is not None and day.month in cron.months and cron.day_rule.match_day(day)
        # A rule is None if none of the months has such a day; then no calendar names one either.
        assert names_day(calendar, day) == named, day


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "*/15 9-17 * * mon-fri",
        "0 0 1,15 * 1",
        "0 0 */2 * 1",
        "0 0 1 * */2",
        "0 0 13 * fri",
        "0 0 * * 7",
        "0 0 * * 5-7",
        "0 0 * * */7",
        "0 0 * * 1/2",
        "3/20 1-5/2 * jan-mar/2,dec *",
        "00,5,*/30 007 01 1 sun",
        "0 0 1,* * 1",
        "*/1 */1 */1 */1 */1",
        "59/99 23 31 12 *",
    ],
)
def test_it_names_the_same_times_as_ours(text: str) -> None:
    agree(text)


@given(CRONS)
def test_a_cron_names_the_same_times_as_ours(text: str) -> None:
    agree(text)


@given(st.text("0123456789*/-,LW#MONJAabc \t_é", max_size=30))
def test_what_ours_refuses_is_refused(text: str) -> None:
    try:
        calendar_of(text, "UTC")
    except Inexpressible:
        return
    try:
        parse_cron(text)
    except CronFault as fault:  # pragma: no cover - only if it fails
        pytest.fail(f"{text!r} was read, but {fault}")
