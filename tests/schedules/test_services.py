"""What is done to schedules: made, put, edited, paused, resumed, deleted; each with its audit entry."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from jobs.models import IdempotencyKey, Job
from jobs.selectors import Idempotency
from jobs.serializers import ScheduleBody
from pirunner.errors import NotFound
from schedules.models import AuditEntry, Occurrence, Schedule, Tombstone
from schedules.reading import read_timing
from schedules.rules import Misfire
from schedules.services import (
    Changes,
    NameTaken,
    NewSchedule,
    PreconditionFailed,
    Tombstoned,
    create_schedule,
    delete_schedule,
    edit_schedule,
    pause_schedule,
    put_schedule,
    resume_schedule,
)
from schedules.timing import Timing, timing_of
from tests.jobs.making import waiting
from tests.parts import at_once
from tests.schedules.making import (
    HOUR,
    MINUTE,
    NOON,
    cron,
    every,
    make,
    new_schedule,
    occurrence,
    once,
    outcomes,
    rows_of,
)

pytestmark = pytest.mark.usefixtures("committed_db")

SOON = timedelta(seconds=30)


def kept(name: str = "tea") -> Schedule:
    return Schedule.objects.kept().get(name=name)


def audit(schedule: Schedule) -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.filter(schedule_id=schedule.public_id).order_by("pk")
    return list(entries.values_list("action", "by", "details"))


# -- create -------------------------------------------------------------------------------------------------------


def test_a_schedule_is_made_with_its_mirror_and_its_entry() -> None:
    began = timezone.now()

    accepted = create_schedule(new_schedule(every(3600, began + HOUR), owner="agent"))

    schedule = Schedule.objects.get()
    assert accepted.answer == {
        "jobId": schedule.public_id,
        "status": "queued",
        "backend": "celery",
        "scheduled": True,
    }
    assert schedule.public_id.startswith("sched-")
    assert (schedule.next_due_at, schedule.enabled, schedule.version) == (began + HOUR, True, 1)
    assert began <= schedule.covered_until <= timezone.now()
    assert PeriodicTask.objects.get().pk == schedule.periodic_task_id
    assert audit(schedule) == [("created", "agent", "")]


def test_warnings_are_told() -> None:
    new = new_schedule(every(3600))
    warned = NewSchedule(work=new.work, timing=new.timing, owner="agent", warnings=("Unknown field.",))

    assert create_schedule(warned).answer["warnings"] == ["Unknown field."]


def test_a_key_is_remembered_with_the_answer() -> None:
    new = new_schedule(every(3600))
    keyed = NewSchedule(
        work=new.work, timing=new.timing, owner="agent", idempotency=Idempotency(key="k" * 8, body_sha256="b" * 64)
    )

    accepted = create_schedule(keyed)

    assert IdempotencyKey.objects.get().answer == accepted.answer
    with pytest.raises(IntegrityError):
        create_schedule(keyed)
    assert (Schedule.objects.count(), PeriodicTask.objects.count()) == (1, 1)


def test_schedules_without_a_name_are_many() -> None:
    create_schedule(new_schedule(every(3600)))
    create_schedule(new_schedule(every(3600)))

    assert Schedule.objects.filter(name="").count() == 2


def test_times_before_it_was_made_are_not_due() -> None:
    schedule = make(every(60, NOON))

    assert schedule.next_due_at
    assert timedelta(0) < schedule.next_due_at - schedule.created_at <= MINUTE
    assert rows_of(schedule) == []


# -- put ----------------------------------------------------------------------------------------------------------


def test_the_same_put_twice_is_one_schedule_untouched() -> None:
    new = new_schedule(every(3600), name="tea")

    first, made = put_schedule(new, by="agent")
    second, made_again = put_schedule(new, by="agent")

    assert (made, made_again, first.pk) == (True, False, second.pk)
    assert (kept().version, kept().updated_at) == (1, first.updated_at)
    assert audit(first) == [("created", "agent", "")]


def test_another_put_replaces_what_is_other() -> None:
    put_schedule(new_schedule(every(3600), name="tea"), by="agent")

    put_schedule(new_schedule(every(60), name="tea", priority=2, input={"n": 1}), by="ann")

    schedule = kept()
    assert (schedule.every_seconds, schedule.priority, schedule.input, schedule.version) == (60, 2, {"n": 1}, 2)
    assert audit(schedule)[1:] == [("edited", "ann", "input, priority, timing")]


def test_a_paused_one_that_is_put_stays_paused() -> None:
    schedule, _ = put_schedule(new_schedule(every(3600), name="tea"), by="agent")
    pause_schedule(schedule.pk, by="owner")

    put_schedule(new_schedule(every(60), name="tea"), by="agent")

    assert (kept().enabled, kept().next_due_at, kept().every_seconds) == (False, None, 60)
    assert not PeriodicTask.objects.get().enabled


def test_two_puts_at_the_same_instant_make_one() -> None:
    new = new_schedule(every(3600), name="tea")

    answers = at_once([lambda: put_schedule(new, by="agent")] * 4)

    assert sorted(answer[1] for answer in answers if isinstance(answer, tuple)) == [False, False, False, True]
    assert Schedule.objects.count() == 1


def test_one_that_was_deleted_is_made_anew() -> None:
    schedule, _ = put_schedule(new_schedule(every(3600), name="tea"), by="agent")
    delete_schedule(schedule.pk, by="agent")

    again, made = put_schedule(new_schedule(every(3600), name="tea"), by="agent")

    assert made
    assert again.pk != schedule.pk


# -- edit ---------------------------------------------------------------------------------------------------------


def read(written: dict[str, Any], now: datetime, known: Timing | None = None) -> Timing:
    """A timing as the API reads it."""
    names = {"everySeconds": "every_seconds", "runAt": "run_at", "endAt": "end_at"}
    body = ScheduleBody(**{names.get(name, name): value for name, value in written.items()})
    timing, faults = read_timing(body, written, now, known)
    assert timing, faults
    return timing


@pytest.mark.parametrize(
    ("change", "keeps"),
    [
        ({"everySeconds": 3600, "misfire": "skip"}, True),
        ({"everySeconds": 3600, "endAt": "2040-01-01T00:00:00Z"}, True),
        ({"everySeconds": 3600, "tz": "Europe/Berlin"}, True),  # an interval knows no zone
        ({"everySeconds": 3601}, False),
        ({"everySeconds": 3600, "runAt": "2040-01-01T00:00:00Z"}, False),
    ],
)
def test_a_new_period_or_start_re_anchors_and_nothing_else_does(change: dict[str, Any], keeps: bool) -> None:
    schedule = make(read({"everySeconds": 3600}, timezone.now() - HOUR))
    anchor = schedule.first_at

    edit_schedule(schedule.pk, Changes(fields={}, timing=read(change, timezone.now(), timing_of(schedule))), by="owner")

    schedule.refresh_from_db()
    assert (schedule.first_at == anchor) is keeps
    if "runAt" not in change and not keeps:
        assert schedule.next_due_at == schedule.first_at


def test_a_resume_does_not_re_anchor() -> None:
    schedule = make(every(3600, NOON))
    pause_schedule(schedule.pk, by="owner")

    resumed = resume_schedule(schedule.pk, by="owner")

    assert resumed.first_at == NOON
    assert resumed.next_due_at
    assert (resumed.next_due_at - NOON) % HOUR == timedelta(0)


def test_what_was_due_before_an_edit_is_covered_by_the_old_rules() -> None:
    began = timezone.now()
    schedule = make(every(3600, NOON, misfire=Misfire.SKIP), covered_until=began - 3 * HOUR)

    edit_schedule(schedule.pk, Changes(fields={}, timing=every(7, began, misfire=Misfire.ALL)), by="owner")

    schedule.refresh_from_db()
    assert outcomes(schedule) == [(3, "skipped", "missed")]
    assert schedule.covered_until >= began
    assert schedule.next_due_at
    assert schedule.next_due_at > began


def test_an_edit_in_a_pause_covers_the_pause() -> None:
    schedule = make(every(3600, NOON, misfire=Misfire.ALL))
    pause_schedule(schedule.pk, by="owner")
    Schedule.objects.filter(pk=schedule.pk).update(covered_until=timezone.now() - 3 * HOUR)

    edit_schedule(schedule.pk, Changes(fields={}, timing=every(60, NOON)), by="owner")

    schedule.refresh_from_db()
    assert outcomes(schedule) == [(3, "skipped", "paused")]
    assert schedule.next_due_at is None


def test_an_edit_is_noted_and_counted() -> None:
    schedule = make(every(3600), name="tea")

    edit_schedule(schedule.pk, Changes(fields={"name": "coffee", "priority": 1}), by="ann")

    schedule.refresh_from_db()
    assert (schedule.name, schedule.priority, schedule.version) == ("coffee", 1, 2)
    assert audit(schedule)[1:] == [("edited", "ann", "name, priority")]
    assert PeriodicTask.objects.get().name == f"coffee ({schedule.public_id})"


def test_an_edit_of_nothing_changes_nothing() -> None:
    schedule = make(every(3600))

    assert edit_schedule(schedule.pk, Changes(fields={}), by="ann").version == 1


def test_a_name_that_is_taken_is_refused() -> None:
    make(every(3600), name="tea")
    schedule = make(every(3600), name="coffee")

    with pytest.raises(NameTaken, match="'tea'"):
        edit_schedule(schedule.pk, Changes(fields={"name": "tea", "priority": 1}), by="ann")

    schedule.refresh_from_db()
    assert (schedule.name, schedule.priority) == ("coffee", 5)


def test_two_that_take_a_name_at_the_same_instant_leave_it_to_one() -> None:
    schedules = [make(every(3600), name=name) for name in ("tea", "coffee")]
    water = Changes(fields={"name": "water"})

    answers = at_once([partial(edit_schedule, each.pk, water, by="ann") for each in schedules])

    assert sorted(type(answer).__name__ for answer in answers) == ["NameTaken", "Schedule"]


def test_a_name_may_be_given_up() -> None:
    for name in ("tea", "coffee"):
        schedule = make(every(3600), name=name)
        edit_schedule(schedule.pk, Changes(fields={"name": ""}), by="ann")

    assert Schedule.objects.filter(name="").count() == 2


def test_one_that_cannot_be_read_can_be_mended() -> None:
    schedule = make(cron("0 9 * * *"))
    Schedule.objects.filter(pk=schedule.pk).update(zone="Mars/Olympus")

    pause_schedule(schedule.pk, by="owner")
    edit_schedule(schedule.pk, Changes(fields={}, timing=cron("0 10 * * *")), by="owner")
    resumed = resume_schedule(schedule.pk, by="owner")

    assert resumed.next_due_at
    assert resumed.next_due_at.hour == 10


@pytest.mark.parametrize(
    "change",
    [
        lambda pk, version: edit_schedule(pk, Changes(fields={"priority": 1}), by="ann", version=version),
        lambda pk, version: pause_schedule(pk, by="ann", version=version),
        lambda pk, version: resume_schedule(pk, by="ann", version=version),
        lambda pk, version: delete_schedule(pk, by="ann", version=version),
    ],
)
def test_a_change_of_another_version_is_refused(change: Any) -> None:
    schedule = make(every(3600))

    with pytest.raises(PreconditionFailed, match='its ETag is "1" now'):
        change(schedule.pk, 7)
    assert audit(schedule) == [("created", "agent", "")]

    change(schedule.pk, 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda pk: edit_schedule(pk, Changes(fields={"priority": 1}), by="ann"),
        lambda pk: pause_schedule(pk, by="ann"),
        lambda pk: resume_schedule(pk, by="ann"),
        lambda pk: delete_schedule(pk, by="ann"),
    ],
)
def test_a_deleted_one_is_not_there_to_be_changed(change: Any) -> None:
    schedule = make(every(3600))
    delete_schedule(schedule.pk, by="ann")

    with pytest.raises(NotFound):
        change(schedule.pk)


# -- pause and resume ---------------------------------------------------------------------------------------------


def test_a_pause_is_noted_and_kept_once() -> None:
    schedule = make(every(3600))

    pause_schedule(schedule.pk, by="ann")
    paused = pause_schedule(schedule.pk, by="ben")

    assert (paused.enabled, paused.next_due_at, paused.version) == (False, None, 2)
    assert paused.paused_at
    assert audit(schedule)[1:] == [("paused", "ann", "")]


def test_what_was_due_before_a_pause_still_fires() -> None:
    schedule = make(every(3600, timezone.now() - timedelta(seconds=2)))
    Schedule.objects.filter(pk=schedule.pk).update(covered_until=timezone.now() - MINUTE)

    pause_schedule(schedule.pk, by="ann")

    assert outcomes(schedule) == [(1, "fired", "")]
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("misfire", "expected", "jobs"),
    [
        (Misfire.ONCE, [(2, "skipped", "paused"), (1, "caught_up", "paused")], 1),
        (Misfire.SKIP, [(3, "skipped", "paused")], 0),
        (Misfire.ALL, [(1, "caught_up", "paused")] * 3, 3),
    ],
)
def test_the_misfire_rule_decides_about_the_pause(misfire: Misfire, expected: Any, jobs: int) -> None:
    schedule = make(every(3600, NOON, misfire=misfire))
    pause_schedule(schedule.pk, by="ann")
    Schedule.objects.filter(pk=schedule.pk).update(covered_until=timezone.now() - 3 * HOUR)

    resumed = resume_schedule(schedule.pk, by="ben")

    assert outcomes(schedule) == expected
    assert Job.objects.count() == jobs
    assert (resumed.enabled, resumed.paused_at, resumed.version) == (True, None, 3)
    assert resumed.next_due_at == Schedule.objects.get().next_due_at
    assert audit(schedule)[2:] == [("resumed", "ben", "")]


def test_one_that_is_not_paused_is_not_resumed() -> None:
    schedule = make(every(3600))

    assert resume_schedule(schedule.pk, by="ann").version == 1


def test_one_that_is_over_is_over_after_a_resume_too() -> None:
    schedule = make(once(NOON), covered_until=NOON)
    pause_schedule(schedule.pk, by="ann")

    assert resume_schedule(schedule.pk, by="ann").next_due_at is None
    assert rows_of(schedule) == []


# -- delete and tombstones ----------------------------------------------------------------------------------------


def test_a_deleted_schedule_fires_no_more_and_leaves_its_jobs_and_its_audit() -> None:
    schedule = make(every(3600), name="tea")
    job = waiting(schedule_id=schedule.public_id)
    occurrence(schedule, NOON)

    delete_schedule(schedule.pk, by="ann")

    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.next_due_at) == (False, None)
    assert not Schedule.objects.kept().exists()
    assert not PeriodicTask.objects.exists()
    assert Job.objects.filter(pk=job.pk, state="waiting").exists()
    assert Occurrence.objects.count() == 1  # removed little by little
    assert audit(schedule)[1:] == [("deleted", "ann", "")]


def test_what_a_program_deletes_a_program_may_make_again() -> None:
    schedule = make(every(3600), name="tea")

    delete_schedule(schedule.pk, by="agent")

    assert not Tombstone.objects.exists()
    assert put_schedule(new_schedule(every(3600), name="tea"), by="agent")[1]


def test_what_a_person_deletes_no_program_makes_again() -> None:
    schedule = make(every(3600), name="tea")
    delete_schedule(schedule.pk, by="ann", in_person=True)

    with pytest.raises(Tombstoned, match="ann deleted the schedule 'tea'"):
        put_schedule(new_schedule(every(3600), name="tea"), by="agent")
    assert not Schedule.objects.kept().exists()


def test_who_may_restore_makes_it_again_and_the_stone_is_gone() -> None:
    schedule = make(every(3600), name="tea")
    delete_schedule(schedule.pk, by="ann", in_person=True)

    _, made = put_schedule(new_schedule(every(3600), name="tea"), by="ann", restore=True)

    assert made
    assert not Tombstone.objects.exists()
    put_schedule(new_schedule(every(60), name="tea"), by="agent")


def test_one_without_a_name_leaves_no_stone() -> None:
    create_schedule(new_schedule(every(3600)))

    delete_schedule(Schedule.objects.get().pk, by="ann", in_person=True)

    assert not Tombstone.objects.exists()


def test_a_long_name_of_who_did_it_is_cut() -> None:
    schedule = make(every(3600), name="tea")

    delete_schedule(schedule.pk, by="a" * 400, in_person=True)

    assert len(Tombstone.objects.get().by) == 150
