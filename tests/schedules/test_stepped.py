"""After the time of day was set back: what fired does not fire again, what was skipped gets another chance."""

from datetime import timedelta

import pytest

from jobs.models import Job
from schedules.firing import fire_due
from schedules.models import Schedule
from schedules.rules import Misfire, Overlap
from schedules.services import delete_schedule, pause_schedule
from schedules.stepped import TOLERANCE, mend
from schedules.timing import Timing
from tests.schedules.making import DAY, HOUR, MINUTE, NOON, SECOND, cron, every, make, outcomes, rows_of, told

pytestmark = pytest.mark.usefixtures("committed_db")

FIVE_YEARS = 5 * 365 * DAY


def ticks(schedule: Schedule, start: timedelta, minutes: int) -> None:
    """Let the clock turn every five minutes from so long after noon; jobs end at once."""
    for minute in range(0, minutes, 5):
        fire_due(NOON + start + minute * MINUTE)
        Job.objects.filter(schedule_id=schedule.public_id).update(state="completed")


@pytest.mark.parametrize("timing", [every(1200), cron("*/20 * * * *")])
def test_after_an_hour_back_nothing_fires_twice(timing: Timing) -> None:
    schedule = make(timing, covered_until=NOON)
    ticks(schedule, 0 * MINUTE, 91)  # until 13:30
    fired = told(schedule)
    assert [row[0] for row in fired] == ["12:20:00", "12:40:00", "13:00:00", "13:20:00"]

    assert mend(NOON + 30 * MINUTE) == 1
    ticks(schedule, 30 * MINUTE, 60)
    assert told(schedule) == fired

    ticks(schedule, 90 * MINUTE, 30)  # and then it goes on
    assert told(schedule) == [*fired, ("13:40:00", 1, "fired", "")]
    assert Job.objects.count() == 5


@pytest.mark.parametrize("timing", [every(3600, misfire=Misfire.SKIP), cron("0 * * * *", misfire=Misfire.SKIP)])
def test_what_was_skipped_gets_another_chance(timing: Timing) -> None:
    schedule = make(timing, covered_until=NOON)
    fire_due(NOON + 5 * HOUR + 10 * MINUTE)  # the time was wrong: nothing was missed
    assert told(schedule) == [("13:00:00", 5, "skipped", "missed")]

    mend(NOON + 2 * HOUR + 30 * MINUTE)

    assert told(schedule) == [("13:00:00", 2, "skipped", "missed")]
    assert rows_of(schedule)[0][1] == NOON + 2 * HOUR
    schedule.refresh_from_db()
    assert schedule.next_due_at == NOON + 3 * HOUR
    fire_due(NOON + 3 * HOUR)
    assert told(schedule)[1:] == [("15:00:00", 1, "fired", "")]


def test_after_five_years_back_it_goes_on_from_now() -> None:
    schedule = make(every(3600), covered_until=NOON)
    wrong = NOON + FIVE_YEARS + 10 * MINUTE
    fire_due(wrong)
    assert outcomes(schedule) == [
        (5 * 365 * 24 - 1, "skipped", "missed"),
        (1, "caught_up", "missed"),
    ]
    Job.objects.update(state="completed")

    mend(NOON + HOUR - SECOND)
    fire_due(NOON + HOUR)

    assert told(schedule) == [("13:00:00", 1, "fired", ""), ("12:00:00", 1, "caught_up", "missed")]
    schedule.refresh_from_db()
    assert schedule.next_due_at == NOON + 2 * HOUR


def test_what_lies_in_the_future_divides_nothing_before_it() -> None:
    schedule = make(every(60), covered_until=NOON)
    fire_due(NOON + FIVE_YEARS)  # its job does not end
    mend(NOON)

    for minute in range(1, 6):
        fire_due(NOON + minute * MINUTE)

    assert outcomes(schedule) == [(5, "skipped", "overlap"), (1, "caught_up", "missed")]


def test_when_those_years_have_passed_what_ran_then_is_not_run_again() -> None:
    schedule = make(every(3600), covered_until=NOON)
    fire_due(NOON + 3 * HOUR)
    Job.objects.update(state="completed")
    mend(NOON + HOUR - SECOND)

    fire_due(NOON + 3 * HOUR + 10 * MINUTE)

    assert told(schedule) == [
        ("13:00:00", 1, "skipped", "missed"),
        ("14:00:00", 1, "caught_up", "missed"),  # the one that ran then
        ("15:00:00", 1, "caught_up", "missed"),
    ]
    assert Job.objects.count() == 2


def test_a_small_step_only_makes_it_wait() -> None:
    schedule = make(every(60, overlap=Overlap.ALLOW), covered_until=NOON)
    fire_due(NOON + 5 * MINUTE)
    before = rows_of(schedule)

    assert mend(NOON + 5 * MINUTE - TOLERANCE) == 0
    fire_due(NOON + 4 * MINUTE)
    assert rows_of(schedule) == before

    fire_due(NOON + 6 * MINUTE)
    assert len(rows_of(schedule)) == len(before) + 1


def test_a_paused_schedule_stays_paused() -> None:
    schedule = make(every(3600), covered_until=NOON)
    pause_schedule(schedule.pk, by="owner")

    assert mend(NOON) == 1

    schedule.refresh_from_db()
    assert (schedule.next_due_at, schedule.covered_until) == (None, NOON)


def test_an_edit_meanwhile_leaves_what_is_known() -> None:
    schedule = make(every(60, NOON, misfire=Misfire.SKIP), covered_until=NOON)
    fire_due(NOON + 10 * HOUR + 40 * SECOND)
    Schedule.objects.filter(pk=schedule.pk).update(every_seconds=86_400)

    mend(NOON + 2 * HOUR)

    (row,) = rows_of(schedule)
    assert row[0] == row[1]
    assert row[2] == 1


def test_one_that_cannot_be_read_and_one_that_was_deleted_are_nobody_s_obstacle() -> None:
    bad, deleted, good = (make(every(60), covered_until=NOON + DAY) for _ in range(3))
    Schedule.objects.filter(pk=bad.pk).update(zone="Mars/Olympus")
    delete_schedule(deleted.pk, by="owner")

    mend(NOON)

    good.refresh_from_db()
    assert good.covered_until == NOON
