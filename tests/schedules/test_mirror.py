"""The mirror: a schedule as django-celery-beat's admin shows it, in step with what it is."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)

from schedules.firing import fire_due
from schedules.mirror import TASK, is_in_step, mirror
from schedules.models import Schedule
from schedules.services import Changes, delete_schedule, edit_schedule, pause_schedule, resume_schedule
from schedules.timing import Timing
from tests.schedules.making import BERLIN, HOUR, NOON, cron, every, make, once

pytestmark = pytest.mark.usefixtures("committed_db")

RARE = "0 9 L * *"
"""A cron that Celery has no words for."""


def mirror_of(schedule: Schedule) -> PeriodicTask:
    schedule.refresh_from_db()
    return PeriodicTask.objects.get(pk=schedule.periodic_task_id)


def edit(schedule: Schedule, timing: Timing) -> None:
    edit_schedule(schedule.pk, Changes(fields={}, timing=timing), by="owner")


# -- what it shows ------------------------------------------------------------------------------------------------


def test_it_names_the_schedule_and_what_it_does() -> None:
    schedule = make(cron("0 9 * * 1-5", zone=BERLIN), name="tea")

    task = mirror_of(schedule)

    assert task.name == f"tea ({schedule.public_id})"
    assert (task.task, json.loads(task.kwargs)) == (TASK, {"schedule_id": schedule.public_id})
    assert task.enabled
    assert "pirunner fires it" in task.description
    assert is_in_step(schedule, task)


def test_a_cron_is_a_crontab_in_its_zone() -> None:
    crontab = mirror_of(make(cron("*/5 9-17 1,15 * 1-5", zone=BERLIN))).crontab

    assert (crontab.minute, crontab.hour, crontab.day_of_month) == ("*/5", "9-17", "1,15")
    assert (crontab.month_of_year, crontab.day_of_week, str(crontab.timezone)) == ("*", "1-5", "Europe/Berlin")


@pytest.mark.parametrize(
    ("seconds", "every_so", "unit"), [(3600, 3600, "seconds"), (1, 1, "seconds"), (2.5, 2_500_000, "microseconds")]
)
def test_a_period_is_an_interval(seconds: float, every_so: int, unit: str) -> None:
    interval = mirror_of(make(every(seconds))).interval

    assert (interval.every, interval.period) == (every_so, unit)


@pytest.mark.parametrize(
    "timing",
    [
        cron(RARE),
        cron("0 9 * * MON#2"),
        cron("0 9 * * 7"),
        cron(f"{','.join(str(minute) for minute in range(1, 60, 2))},{','.join(['59'] * 60)} * * * *"),
        every(2147.483648),  # more microseconds than an integer holds
        every(2**31),
        once(timezone.now() + HOUR),
    ],
)
def test_what_celery_has_no_words_for_is_shown_by_its_next_time(timing: Timing) -> None:
    schedule = make(timing)

    task = mirror_of(schedule)

    assert (task.crontab, task.interval, task.one_off) == (None, None, True)
    assert task.clocked.clocked_time == schedule.next_due_at
    assert is_in_step(schedule, task)


def test_the_next_time_is_followed() -> None:
    moment = datetime(2026, 4, 1, tzinfo=NOON.tzinfo)
    schedule = make(cron(RARE), covered_until=moment)

    fire_due(datetime(2026, 4, 30, 9, tzinfo=NOON.tzinfo))

    task = mirror_of(schedule)
    assert task.clocked.clocked_time == schedule.next_due_at == datetime(2026, 5, 31, 9, tzinfo=NOON.tzinfo)


def test_schedules_of_one_crontab_share_it() -> None:
    first, second = make(cron("0 9 * * *")), make(cron("0 9 * * *"))

    assert mirror_of(first).crontab_id == mirror_of(second).crontab_id
    assert CrontabSchedule.objects.filter(hour="9").count() == 1


def test_schedules_whose_long_names_begin_alike_have_mirrors_each() -> None:
    first, second = make(every(60), name="t" * 199 + "a"), make(every(60), name="t" * 199 + "b")

    assert mirror_of(first).name != mirror_of(second).name


@pytest.mark.parametrize("broken", [{"zone": "Mars/Olympus"}, {"cron": "61 * * * *"}, {"cron": "a"}])
def test_one_that_cannot_be_read_has_a_mirror_that_says_so(broken: dict[str, str]) -> None:
    schedule = make(cron("0 9 * * *"))
    for name, value in broken.items():
        setattr(schedule, name, value)

    mirror(schedule)

    assert schedule.periodic_task
    assert "It cannot be read" in schedule.periodic_task.description
    assert is_in_step(schedule, schedule.periodic_task)


# -- in step ------------------------------------------------------------------------------------------------------


def test_a_pause_and_a_resume_are_shown() -> None:
    schedule = make(every(3600))

    pause_schedule(schedule.pk, by="owner")
    assert not mirror_of(schedule).enabled

    resume_schedule(schedule.pk, by="owner")
    assert mirror_of(schedule).enabled


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (cron("0 9 * * *"), cron("0 10 * * *"), "crontab"),
        (cron("0 9 * * *"), every(60), "interval"),
        (cron(RARE), every(60), "interval"),
        (cron(RARE), cron("0 9 * * *"), "crontab"),
        (every(60), cron(RARE), "clocked"),
        (cron(RARE), cron("0 10 L * *"), "clocked"),
    ],
)
def test_an_edit_is_shown_in_the_same_row(before: Timing, after: Timing, shown: str) -> None:
    schedule = make(before)
    pk = schedule.periodic_task_id

    edit(schedule, after)

    task = mirror_of(schedule)
    assert task.pk == pk
    assert [name for name in ("crontab", "interval", "clocked") if getattr(task, name)] == [shown]
    assert is_in_step(schedule, task)
    assert ClockedSchedule.objects.count() == (1 if shown == "clocked" else 0)


def test_with_the_schedule_it_goes() -> None:
    for timing in (every(60), cron(RARE)):
        delete_schedule(make(timing).pk, by="owner")

    assert not PeriodicTask.objects.filter(task=TASK).exists()
    assert not ClockedSchedule.objects.exists()


def test_a_time_that_somebody_else_uses_stays() -> None:
    schedule = make(cron(RARE))
    clocked = mirror_of(schedule).clocked
    PeriodicTask.objects.create(name="own", task="own", clocked=clocked, one_off=True)

    delete_schedule(schedule.pk, by="owner")

    assert PeriodicTask.objects.get(name="own").clocked_id == clocked.pk


def test_what_pirunner_writes_does_not_have_beat_read_everything_anew() -> None:
    PeriodicTasks.update_changed()
    before = PeriodicTasks.last_change()

    for timing in (every(60), every(2.5), cron("7 9 * * *"), cron(RARE), once(timezone.now() + HOUR)):
        schedule = make(timing)
        edit(schedule, cron("8 9 L * *"))
        edit(schedule, every(61.5))
        pause_schedule(schedule.pk, by="owner")
        resume_schedule(schedule.pk, by="owner")
        fire_due(timezone.now() + timedelta(minutes=2))
        delete_schedule(schedule.pk, by="owner")

    assert PeriodicTasks.last_change() == before


# -- out of step --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "mine"},
        {"task": "jobs.ping"},
        {"kwargs": "{}"},
        {"description": ""},
        {"queue": "mine"},
        {"expire_seconds": 5},
        {"start_time": NOON},
        {"one_off": True},
        {"priority": 3},
    ],
)
def test_whatever_is_edited_is_seen_and_put_right(changed: dict[str, Any]) -> None:
    schedule = make(every(3600))
    PeriodicTask.objects.filter(pk=schedule.periodic_task_id).update(**changed)

    assert not is_in_step(schedule, mirror_of(schedule))

    mirror(schedule)
    assert is_in_step(schedule, mirror_of(schedule))


def test_another_kind_of_time_is_seen_and_put_right() -> None:
    schedule = make(every(3600))
    solar = SolarSchedule.objects.create(event="sunrise", latitude=1, longitude=1)
    interval = IntervalSchedule.objects.create(every=5, period="days")
    for changed in ({"interval": None, "solar": solar}, {"interval": interval}):
        PeriodicTask.objects.filter(pk=schedule.periodic_task_id).update(**changed)
        assert not is_in_step(schedule, mirror_of(schedule))

        mirror(schedule)
        assert is_in_step(schedule, mirror_of(schedule))
