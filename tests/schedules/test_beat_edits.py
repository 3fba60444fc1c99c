"""What somebody does to the mirrors in django-celery-beat's admin, and the owner's own tasks beside them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks, SolarSchedule

from pirunner.celery import app
from schedules import beat_edits
from schedules.beat_edits import BY, BeatEdits
from schedules.clock import Clock
from schedules.mirror import TASK, is_in_step
from schedules.models import AuditEntry, Schedule
from schedules.services import delete_schedule, pause_schedule
from tests.schedules.making import HOUR, NOON, cron, every, make, make_many

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def look() -> Callable[[], int]:
    """Look at the mirrors as the clock does each second; returns for how many something was done."""
    edits = BeatEdits()
    edits.honour(timezone.now())
    edits.honour(timezone.now())  # the end of the first look
    return lambda: edits.honour(timezone.now())


def save(task: PeriodicTask, **fields: Any) -> None:
    """As the form of the admin does."""
    for name, value in fields.items():
        setattr(task, name, value)
    task.save()


def update(task: PeriodicTask, **fields: Any) -> None:
    """As the actions of the admin's list do."""
    PeriodicTask.objects.filter(pk=task.pk).update(**fields)
    PeriodicTasks.update_changed()


def mirror_of(schedule: Schedule) -> PeriodicTask:
    schedule.refresh_from_db()
    return PeriodicTask.objects.get(pk=schedule.periodic_task_id)


# -- switches -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [save, update])
def test_a_schedule_that_is_switched_off_there_is_paused_and_on_again_resumed(
    change: Callable[..., None], look: Callable[[], int]
) -> None:
    schedule = make(every(3600))
    look()

    change(mirror_of(schedule), enabled=False)
    assert look() == 1
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.next_due_at) == (False, None)

    change(mirror_of(schedule), enabled=True)
    assert look() == 1
    schedule.refresh_from_db()
    assert schedule.enabled
    assert schedule.next_due_at
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "by"))[1:] == [("paused", BY), ("resumed", BY)]


def test_it_is_looked_at_once_for_each_change(look: Callable[[], int]) -> None:
    schedule = make(every(3600))
    update(mirror_of(schedule), enabled=False)

    assert [look() for _ in range(4)] == [1, 0, 0, 0]


def test_what_was_switched_while_no_clock_ran_is_honoured_at_its_start() -> None:
    schedule = make(every(3600))
    PeriodicTask.objects.filter(pk=schedule.periodic_task_id).update(enabled=False)

    assert BeatEdits().honour(timezone.now()) == 1


def test_a_pause_of_ours_is_no_switch_of_theirs(look: Callable[[], int]) -> None:
    schedule = make(every(3600))
    pause_schedule(schedule.pk, by="ann")

    PeriodicTasks.update_changed()

    assert look() == 0


def test_a_switch_and_an_edit_at_once_are_both_dealt_with(look: Callable[[], int]) -> None:
    schedule = make(every(3600), name="tea")
    save(mirror_of(schedule), enabled=False, name="mine")

    look()

    task = mirror_of(schedule)
    assert (schedule.enabled, task.enabled) == (False, False)
    assert is_in_step(schedule, task)


def test_many_are_dealt_with_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat_edits, "BATCH", 2)
    schedules = [make(every(3600)) for _ in range(5)]
    PeriodicTask.objects.filter(pk__in=[each.periodic_task_id for each in schedules[:3]]).update(enabled=False)
    PeriodicTask.objects.filter(pk=schedules[4].periodic_task_id).update(name="mine")
    edits = BeatEdits()

    done = [edits.honour(timezone.now()) for _ in range(6)]

    assert (sum(done), done[-1]) == (4, 0)
    assert max(done) <= 3
    assert Schedule.objects.filter(enabled=False).count() == 3
    assert is_in_step(schedules[4], mirror_of(schedules[4]))


# -- everything else is put right ---------------------------------------------------------------------------------


def test_an_edit_is_put_right(look: Callable[[], int]) -> None:
    schedule = make(cron("0 9 * * *"), name="tea")
    save(mirror_of(schedule), name="mine", crontab=CrontabSchedule.objects.create(hour="5"), queue="mine")

    assert look() == 1

    task = mirror_of(schedule)
    assert is_in_step(schedule, task)
    assert (task.crontab.hour, task.queue) == ("9", None)
    assert look() == 0


def test_a_kind_of_time_that_no_schedule_has_is_put_right(look: Callable[[], int]) -> None:
    schedule = make(cron("0 9 * * *"))
    solar = SolarSchedule.objects.create(event="sunrise", latitude=1, longitude=1)
    save(mirror_of(schedule), crontab=None, solar=solar, expire_seconds=5)

    assert look() == 1
    assert is_in_step(schedule, mirror_of(schedule))


def test_an_edit_of_the_crontab_that_it_shares_is_put_right(look: Callable[[], int]) -> None:
    first, second = make(cron("0 9 * * *")), make(cron("0 9 * * *"))
    crontab = mirror_of(first).crontab
    crontab.hour = "10"
    crontab.save()

    assert look() == 2
    assert (mirror_of(first).crontab.hour, mirror_of(second).crontab.hour) == ("9", "9")


def test_a_deletion_is_put_right(look: Callable[[], int]) -> None:
    schedule = make(every(3600))
    mirror_of(schedule).delete()

    assert look() == 1
    assert is_in_step(schedule, mirror_of(schedule))


def test_the_deletion_of_its_crontab_is_put_right(look: Callable[[], int]) -> None:
    schedule = make(cron("0 9 * * *"))
    mirror_of(schedule).crontab.delete()

    assert look() == 1
    assert is_in_step(schedule, mirror_of(schedule))


def test_schedules_without_mirrors_get_them() -> None:
    make_many(3, every(60), covered_until=NOON)

    assert BeatEdits().honour(timezone.now()) == 3
    assert PeriodicTask.objects.filter(task=TASK).count() == 3


def test_a_mirror_that_its_schedule_has_lost_is_found_again(look: Callable[[], int]) -> None:
    schedule = make(every(60))
    pk = schedule.periodic_task_id
    Schedule.objects.filter(pk=schedule.pk).update(periodic_task=None)
    PeriodicTasks.update_changed()

    assert look() == 1
    assert mirror_of(schedule).pk == pk


def test_a_deleted_schedule_gets_no_mirror(look: Callable[[], int]) -> None:
    delete_schedule(make(every(60)).pk, by="ann")
    PeriodicTasks.update_changed()

    assert look() == 0
    assert not PeriodicTask.objects.filter(task=TASK).exists()


def test_one_that_cannot_be_read_does_not_stop_the_clock(look: Callable[[], int]) -> None:
    bad, good = make(cron("0 9 * * *")), make(every(60))
    Schedule.objects.filter(pk=bad.pk).update(zone="Mars/Olympus")
    update(mirror_of(bad), enabled=False)
    update(mirror_of(good), enabled=False)

    assert look() == 2
    assert not Schedule.objects.filter(enabled=True).exists()


# -- the owner's own tasks ----------------------------------------------------------------------------------------


@pytest.fixture
def new_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Clock]]:
    """Make the clock; what beat sends goes nowhere, and is remembered."""
    clocks: list[Clock] = []
    monkeypatch.setattr(Clock, "producer", None, raising=False)
    monkeypatch.setattr(Clock, "sent", [], raising=False)
    monkeypatch.setattr(Clock, "apply_entry", lambda clock, entry, **_: clock.sent.append(entry.name))

    def make_clock() -> Clock:
        clocks.append(Clock(app=app))
        return clocks[-1]

    yield make_clock
    for clock in clocks:
        clock.close()


def test_the_owners_own_tasks_of_all_hours_are_in_the_heap_and_schedules_are_not(
    new_clock: Callable[[], Clock],
) -> None:
    make(every(60))
    make(cron("0 9 * * *"))
    for hour in range(24):
        crontab = CrontabSchedule.objects.create(minute="0", hour=str(hour))
        PeriodicTask.objects.create(name=f"own {hour:02}", task="own", crontab=crontab)
    interval = IntervalSchedule.objects.create(every=5, period="hours")
    PeriodicTask.objects.create(name="own interval", task="own", interval=interval)
    PeriodicTask.objects.create(name="own and off", task="own", interval=interval, enabled=False)

    names = [name for name in new_clock().schedule if not name.startswith("celery.")]

    assert sorted(names) == [*(f"own {hour:02}" for hour in range(24)), "own interval"]


def test_an_own_task_that_was_missed_runs_once_and_then_at_its_hour(new_clock: Callable[[], Clock]) -> None:
    missed = timezone.now() - 3 * HOUR
    crontab = CrontabSchedule.objects.create(minute=str(missed.minute), hour=str(missed.hour), timezone="UTC")
    PeriodicTask.objects.create(name="own", task="own", crontab=crontab)
    PeriodicTask.objects.update(last_run_at=missed - timedelta(hours=23))

    for _ in range(2):  # a restart
        clock = new_clock()
        for _ in range(4):
            clock.tick()
        is_due, seconds = clock.schedule["own"].is_due()
        clock.close()

    assert clock.sent.count("own") == 1
    assert not is_due
    assert 20.9 * 3600 < seconds <= 21 * 3600 + 60  # and not two hours earlier
    assert PeriodicTask.objects.get(name="own").last_run_at > missed + 2 * HOUR


def test_a_schedule_is_fired_by_us_and_not_by_beat(new_clock: Callable[[], Clock]) -> None:
    schedule = make(every(3600), covered_until=timezone.now() - HOUR)
    clock = new_clock()

    for _ in range(3):
        clock.tick()

    assert not [name for name in clock.sent if "s0" in name]
    assert schedule.occurrences.count() == 1
