"""Firing with a real database: what is due is recorded and submitted in one transaction, once whoever comes second."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.utils import timezone

from jobs.models import Job
from jobs.services import write_jobs
from jobs.states import State
from pirunner.doorbell import Ring
from pirunner.errors import NotFound
from schedules import firing, recording
from schedules.firing import AGAIN, CannotRun, StillRunning, cover, fire_due, next_due_at, run_now
from schedules.models import Occurrence, Schedule
from schedules.quiet import jitter_of
from schedules.rules import Misfire, Overlap
from schedules.services import delete_schedule, pause_schedule
from tests.jobs.making import ended, waiting
from tests.parts import at_once
from tests.schedules.making import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    cron,
    every,
    make,
    make_many,
    occurrence,
    once,
    outcomes,
    rows_of,
    told,
)
from webhooks.models import Delivery, Event

pytestmark = pytest.mark.usefixtures("committed_db")

HOOK = "https://agent.example/hook"


def jobs_of(schedule: Schedule) -> list[Job]:
    return list(Job.objects.filter(schedule_id=schedule.public_id).order_by("pk"))


def end_jobs(schedule: Schedule) -> None:
    Job.objects.filter(schedule_id=schedule.public_id).update(state="completed")


# -- what is due is recorded and submitted ------------------------------------------------------------------------


def test_what_is_due_gets_its_row_and_its_job(rings: list[Ring]) -> None:
    schedule = make(every(3600), covered_until=NOON)
    del rings[:]

    assert fire_due(NOON + HOUR + SECOND) == 1

    (row,) = Occurrence.objects.filter(schedule=schedule)
    (job,) = jobs_of(schedule)
    assert (row.due_at, row.outcome, row.reason, row.job_id) == (NOON + HOUR, "fired", "", job.pk)
    assert row.recorded_at == NOON + HOUR + SECOND
    assert (job.state, job.due_at) == (State.WAITING, NOON + HOUR)
    assert [ring.row_id for ring in rings] == [job.pk]
    schedule.refresh_from_db()
    assert (schedule.covered_until, schedule.next_due_at) == (NOON + HOUR + SECOND, NOON + 2 * HOUR)


def test_what_is_not_due_is_left_alone() -> None:
    schedule = make(every(3600), covered_until=NOON)

    assert fire_due(NOON + HOUR - SECOND) == 0
    assert rows_of(schedule) == []


def test_what_has_fired_does_not_fire_again() -> None:
    schedule = make(every(3600), covered_until=NOON)
    fire_due(NOON + HOUR)

    assert fire_due(NOON + HOUR) == 0
    assert len(jobs_of(schedule)) == 1


def test_one_time_is_over_when_it_has_fired() -> None:
    schedule = make(once(NOON), covered_until=NOON - HOUR)

    fire_due(NOON)

    schedule.refresh_from_db()
    assert (schedule.next_due_at, len(jobs_of(schedule))) == (None, 1)


def test_paused_and_deleted_schedules_do_not_fire() -> None:
    paused, deleted = make(every(3600)), make(every(3600))
    pause_schedule(paused.pk, by="owner")
    delete_schedule(deleted.pk, by="owner")

    assert fire_due(timezone.now() + 2 * HOUR) == 0


def test_the_next_due_time_of_all_is_the_earliest() -> None:
    assert next_due_at() is None
    make(every(3600), covered_until=NOON)
    make(every(60), covered_until=NOON)

    assert next_due_at() == NOON + MINUTE


def test_a_job_is_as_the_schedule_says() -> None:
    timing = every(3600)
    schedule = make(
        timing,
        covered_until=NOON,
        job_type="reminder",
        input={"message": "tea"},
        priority=2,
        metadata={"for": "Ann"},
        concurrency_key="tea",
        callback_url=HOOK,
        callback_events="job.started job.progress",
    )

    fire_due(NOON + HOUR)

    (job,) = jobs_of(schedule)
    assert (job.job_type, job.input, job.priority, job.metadata) == ("reminder", {"message": "tea"}, 2, {"for": "Ann"})
    assert (job.concurrency_key, job.callback_url) == ("tea", HOOK)
    assert job.callback_events == "job.started job.progress"
    assert (job.owner, job.schedule, job.backend) == ("agent", timing.written, "celery")


def test_jitter_delays_the_job_and_not_its_row() -> None:
    schedule = make(every(3600, jitter_seconds=600), covered_until=NOON)
    put_off = jitter_of(schedule.public_id, NOON + HOUR, 600)

    fire_due(NOON + HOUR)

    (job,) = jobs_of(schedule)
    assert rows_of(schedule)[0][0] == NOON + HOUR
    assert (job.state, job.due_at) == (State.DELAYED, NOON + HOUR + put_off)
    assert timedelta(0) < put_off < timedelta(seconds=600)


def test_what_is_caught_up_does_not_overtake_what_waits() -> None:
    schedule = make(every(86_400), covered_until=NOON)
    now = NOON + timedelta(days=30, hours=1)

    fire_due(now)

    (job,) = jobs_of(schedule)
    urgent = waiting(since=now, priority=4)
    assert (job.due_at, job.queued_at) == (NOON + timedelta(days=30), now)
    assert urgent.rank < job.rank


# -- whoever comes second -----------------------------------------------------------------------------------------


def test_two_that_fire_at_the_same_instant_make_one_job_per_due_time() -> None:
    schedules = [make(every(1, overlap=Overlap.ALLOW), covered_until=NOON) for _ in range(5)]
    now = NOON + 3 * SECOND

    at_once([lambda: fire_due(now), lambda: fire_due(now), lambda: fire_due(now)])

    for schedule in schedules:
        assert [row[0] for row in rows_of(schedule)] == [NOON + n * SECOND for n in (1, 2, 3)]
        assert len(jobs_of(schedule)) == 3


def test_one_that_edits_while_another_fires_leaves_each_due_time_covered_once() -> None:
    schedule = make(every(3600), covered_until=NOON)
    now = timezone.now()

    at_once([lambda: fire_due(now), lambda: pause_schedule(schedule.pk, by="owner")])

    rows = rows_of(schedule)
    assert sum(count for _, _, count, *_ in rows) == (now - NOON) // HOUR
    assert len(jobs_of(schedule)) == 1


def test_a_due_time_has_one_row_at_most() -> None:
    schedule = make(every(3600), covered_until=NOON)
    occurrence(schedule, NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        occurrence(schedule, NOON)


def test_nothing_is_recorded_or_rung_when_the_transaction_fails(
    monkeypatch: pytest.MonkeyPatch, rings: list[Ring]
) -> None:
    schedule = make(every(3600), covered_until=NOON)
    del rings[:]

    def locked(_events: Any) -> list[int]:
        raise OperationalError("database is locked")

    monkeypatch.setattr(firing, "record_events", locked)
    with pytest.raises(OperationalError):
        fire_due(NOON + HOUR)

    assert (rows_of(schedule), jobs_of(schedule), rings) == ([], [], [])
    monkeypatch.undo()
    assert fire_due(NOON + HOUR) == 1


def test_a_batch_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "BATCH", 3)
    make_many(5, every(3600), covered_until=NOON)

    assert [fire_due(NOON + HOUR) for _ in range(3)] == [3, 2, 0]
    assert Job.objects.count() == 5


def test_a_row_that_is_there_already_is_not_written_again() -> None:
    schedule = make(every(3600), covered_until=NOON)
    occurrence(schedule, NOON + HOUR)

    fire_due(NOON + HOUR)

    assert jobs_of(schedule) == []
    assert told(schedule) == [("13:00:00", 1, "fired", "")]


# -- neighbours share a row ---------------------------------------------------------------------------------------


def test_neighbours_skipped_for_one_reason_share_a_row_from_tick_to_tick() -> None:
    schedule = make(every(60), covered_until=NOON)
    fire_due(NOON + MINUTE)  # its job does not end

    for minute in (2, 3, 4):
        fire_due(NOON + minute * MINUTE)

    assert told(schedule) == [("12:01:00", 1, "fired", ""), ("12:02:00", 3, "skipped", "overlap")]
    assert rows_of(schedule)[1][1] == NOON + 4 * MINUTE

    end_jobs(schedule)
    fire_due(NOON + 5 * MINUTE)
    fire_due(NOON + 6 * MINUTE)
    assert told(schedule)[2:] == [("12:05:00", 1, "fired", ""), ("12:06:00", 1, "skipped", "overlap")]


def test_another_reason_has_a_row_of_its_own() -> None:
    schedule = make(every(60), covered_until=NOON)
    fire_due(NOON + MINUTE)
    fire_due(NOON + 2 * MINUTE)
    fire_due(NOON + 10 * MINUTE + 40 * SECOND)

    assert told(schedule) == [
        ("12:01:00", 1, "fired", ""),
        ("12:02:00", 1, "skipped", "overlap"),
        ("12:03:00", 7, "skipped", "missed"),
        ("12:10:00", 1, "skipped", "overlap"),
    ]


def test_a_run_by_hand_between_them_divides_neighbours() -> None:
    schedule = make(every(60, overlap=Overlap.SKIP), covered_until=NOON, job_type="gone")
    fire_due(NOON + MINUTE)
    occurrence(schedule, NOON + 90 * SECOND, reason="run_now")
    fire_due(NOON + 2 * MINUTE)

    assert outcomes(schedule) == [
        (1, "skipped", "unknown_job_type"),
        (1, "fired", "run_now"),
        (1, "skipped", "unknown_job_type"),
    ]


# -- what keeps a job from being submitted ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        ({"job_type": "gone"}, "unknown_job_type"),
        ({"job_type": "reminder", "input": {"title": 3}}, "invalid_input"),
    ],
)
def test_what_would_not_be_accepted_is_skipped_with_the_reason(work: dict[str, Any], reason: str) -> None:
    schedule = make(every(3600), covered_until=NOON, **work)

    fire_due(NOON + HOUR)

    assert told(schedule) == [("13:00:00", 1, "skipped", reason)]
    assert jobs_of(schedule) == []


def test_a_type_that_the_owner_no_longer_allows_is_unknown(owner: Any) -> None:
    schedule = make(every(3600), covered_until=NOON)
    owner.RUNNER_JOBS = ("reminder",)

    fire_due(NOON + HOUR)

    assert told(schedule) == [("13:00:00", 1, "skipped", "unknown_job_type")]


def test_another_job_of_its_key_keeps_it_away_if_it_wants_to_be_rejected() -> None:
    other = waiting(concurrency_key="tea")
    schedule = make(every(3600), covered_until=NOON, concurrency_key="tea", on_conflict="reject")

    fire_due(NOON + HOUR)
    assert told(schedule) == [("13:00:00", 1, "skipped", "concurrency_key")]

    Job.objects.filter(pk=other.pk).update(state="completed")
    fire_due(NOON + 2 * HOUR)
    assert told(schedule)[1:] == [("14:00:00", 1, "fired", "")]


@pytest.mark.parametrize(
    ("overlap", "states", "reason"),
    [
        (Overlap.SKIP, ["waiting"], "overlap"),
        (Overlap.QUEUE, ["waiting", "waiting"], ""),
        (Overlap.REPLACE, ["cancelled", "waiting"], ""),
        (Overlap.ALLOW, ["waiting", "waiting"], ""),
    ],
)
def test_the_overlap_rule_is_kept_with_real_jobs(overlap: Overlap, states: list[str], reason: str) -> None:
    schedule = make(every(3600, overlap=overlap), covered_until=NOON)

    fire_due(NOON + HOUR)
    fire_due(NOON + 2 * HOUR)

    assert [job.state for job in jobs_of(schedule)] == states
    assert rows_of(schedule)[1][4] == reason


@pytest.mark.parametrize(
    ("overlap", "one_at_a_time"),
    [(Overlap.SKIP, False), (Overlap.QUEUE, True), (Overlap.REPLACE, True), (Overlap.ALLOW, False)],
)
def test_jobs_that_queue_run_one_at_a_time(overlap: Overlap, one_at_a_time: bool) -> None:
    schedule = make(every(3600, overlap=overlap), covered_until=NOON)

    fire_due(NOON + HOUR)

    (job,) = jobs_of(schedule)
    assert job.concurrency_key == (f"schedule {schedule.public_id}" if one_at_a_time else "")


def test_all_that_is_caught_up_is_submitted_and_runs_one_at_a_time() -> None:
    schedule = make(every(3600, misfire=Misfire.ALL), covered_until=NOON)

    fire_due(NOON + 3 * HOUR + 10 * MINUTE)

    assert told(schedule) == [(f"{hour}:00:00", 1, "caught_up", "missed") for hour in (13, 14, 15)]
    assert {job.concurrency_key for job in jobs_of(schedule)} == {f"schedule {schedule.public_id}"}


# -- schedules that cannot be read --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        {"zone": "Mars/Olympus"},
        {"cron": "61 * * * *"},
        {"cron": "a b"},
        {"misfire": "perhaps"},
        {"quiet_from": "25:00", "quiet_to": "07:00"},
    ],
)
def test_a_schedule_that_cannot_be_read_does_not_hold_up_the_others(broken: dict[str, str]) -> None:
    bad, good = make(cron("0 * * * *"), covered_until=NOON), make(every(3600), covered_until=NOON)
    Schedule.objects.filter(pk=bad.pk).update(**broken)
    now = NOON + HOUR

    fire_due(now)

    assert (len(jobs_of(bad)), len(jobs_of(good))) == (0, 1)
    bad.refresh_from_db()
    assert bad.next_due_at == now + AGAIN
    assert fire_due(now + AGAIN) == 1


def test_a_job_that_the_database_does_not_take_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = make(every(3600), covered_until=NOON, priority=3), make(every(3600), covered_until=NOON)

    def refuse(new_jobs: Any, now: datetime) -> Any:
        if any(new_job.priority == 3 for new_job in new_jobs):
            raise IntegrityError("a constraint")
        return write_jobs(new_jobs, now)

    monkeypatch.setattr(recording, "write_jobs", refuse)

    fire_due(NOON + HOUR)

    assert (len(jobs_of(bad)), len(jobs_of(good))) == (0, 1)


def test_a_database_that_is_away_is_not_the_schedules_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = make(every(3600), covered_until=NOON)
    due = schedule.next_due_at

    def away(*_: Any) -> Any:
        raise OperationalError("the server is away")

    monkeypatch.setattr(recording, "write_jobs", away)
    with pytest.raises(DatabaseError):
        fire_due(NOON + HOUR)

    schedule.refresh_from_db()
    assert schedule.next_due_at == due


def test_nothing_is_covered_of_a_schedule_that_cannot_be_read() -> None:
    schedule = make(every(3600), covered_until=NOON)
    schedule.zone = "Mars/Olympus"

    found = cover(schedule, NOON + HOUR)

    assert (found.jobs, found.events, rows_of(schedule)) == ([], [], [])


# -- run now ------------------------------------------------------------------------------------------------------


def test_run_now_submits_a_job_beside_the_due_times(rings: list[Ring]) -> None:
    schedule = make(every(3600, timezone.now() + HOUR))
    del rings[:]

    job = run_now(schedule.pk, by="owner")

    assert [found.pk for found in jobs_of(schedule)] == [job.pk]
    assert outcomes(schedule) == [(1, "fired", "run_now")]
    assert [ring.row_id for ring in rings] == [job.pk]
    due = schedule.next_due_at
    schedule.refresh_from_db()
    assert schedule.next_due_at == due


def test_run_now_runs_a_paused_schedule_without_jitter() -> None:
    schedule = make(every(3600, timezone.now() + HOUR, jitter_seconds=3600))
    pause_schedule(schedule.pk, by="owner")

    assert run_now(schedule.pk, by="owner").state == "waiting"


@pytest.mark.parametrize("overlap", [Overlap.QUEUE, Overlap.REPLACE, Overlap.ALLOW])
def test_run_now_minds_the_overlap_rule(overlap: Overlap) -> None:
    schedule = make(every(3600, timezone.now() + HOUR, overlap=overlap))

    run_now(schedule.pk, by="owner")
    run_now(schedule.pk, by="owner")

    first, second = jobs_of(schedule)
    assert (first.state, second.state) == ("cancelled" if overlap is Overlap.REPLACE else "waiting", "waiting")


def test_run_now_waits_for_the_last_job_to_end() -> None:
    schedule = make(every(3600, timezone.now() + HOUR))
    run_now(schedule.pk, by="owner")

    with pytest.raises(StillRunning, match="has not ended"):
        run_now(schedule.pk, by="owner")

    assert len(rows_of(schedule)) == 1


def test_run_now_tells_why_there_is_no_job() -> None:
    schedule = make(every(3600, timezone.now() + HOUR), job_type="gone")

    with pytest.raises(CannotRun, match="there is no job type 'gone'"):
        run_now(schedule.pk, by="owner")


def test_a_deleted_schedule_is_not_run() -> None:
    schedule = make(every(3600, timezone.now() + HOUR))
    delete_schedule(schedule.pk, by="owner")

    with pytest.raises(NotFound):
        run_now(schedule.pk, by="owner")


# -- telling of missed due times ----------------------------------------------------------------------------------


def missed_events() -> list[dict[str, Any]]:
    return [json.loads(event.payload) for event in Event.objects.filter(kind="schedule.missed").order_by("pk")]


def test_what_was_missed_is_told_once_for_all_of_it() -> None:
    schedule = make(every(3600), covered_until=NOON, name="tea", metadata={"for": "Ann"})

    fire_due(NOON + 4 * HOUR + 10 * MINUTE)

    (told_of,) = missed_events()
    assert told_of.pop("eventId").startswith("evt_")
    assert told_of == {
        "scheduleId": schedule.public_id,
        "scheduleName": "tea",
        "jobType": "ping",
        "status": "missed",
        "dueAt": "2026-05-05T13:00:00.000Z",
        "untilDueAt": "2026-05-05T16:00:00.000Z",
        "count": 4,
        "caughtUp": 1,
        "metadata": {"for": "Ann"},
    }
    assert Delivery.objects.count() == 0


@pytest.mark.parametrize(
    ("callback_url", "usual", "called"), [(HOOK, "", [HOOK]), ("", "https://home.example", ["https://home.example"])]
)
def test_a_callback_tells_of_it_where_that_was_asked_for(
    callback_url: str, usual: str, called: list[str], owner: Any, rings: list[Ring]
) -> None:
    owner.CALLBACK_URL = usual
    make(every(3600), covered_until=NOON, callback_url=callback_url, callback_events="schedule.missed")
    make(every(3600), covered_until=NOON, callback_url=callback_url)
    del rings[:]

    fire_due(NOON + 2 * HOUR + 10 * MINUTE)

    deliveries = Delivery.objects.all()
    assert [delivery.url for delivery in deliveries] == called
    assert len(missed_events()) == 2
    assert {ring.row_id for ring in rings if ring.task == "webhooks.deliver"} == {each.pk for each in deliveries}


@pytest.mark.parametrize("lateness", [timedelta(0), 30 * SECOND])
def test_what_is_on_time_is_not_told_of(lateness: timedelta) -> None:
    make(every(3600), covered_until=NOON, callback_events="schedule.missed")

    fire_due(NOON + HOUR + lateness)

    assert missed_events() == []


# -- covering -----------------------------------------------------------------------------------------------------


def test_covering_goes_on_until_nothing_is_due() -> None:
    now = NOON + 45_000 * MINUTE + 40 * SECOND
    schedule = make(cron("* * * * *"), covered_until=NOON)

    with transaction.atomic():
        cover(schedule, now).record()

    assert sum(count for _, _, count, *_ in rows_of(schedule)) == 45_000
    assert [row[1:] for row in outcomes(schedule)] == [("skipped", "missed"), ("caught_up", "missed")]
    assert schedule.covered_until == now


def test_another_misfire_rule_may_hold_for_once() -> None:
    schedule = make(every(3600, misfire=Misfire.ALL), covered_until=NOON)

    with transaction.atomic():
        cover(schedule, NOON + 2 * HOUR + 10 * MINUTE, misfire=Misfire.SKIP).record()

    assert told(schedule) == [("13:00:00", 2, "skipped", "missed")]


def test_jobs_that_ended_are_nobody_s_obstacle(rings: list[Ring]) -> None:
    del rings[:]
    schedule = make(every(3600), covered_until=NOON)
    ended(schedule_id=schedule.public_id)

    fire_due(NOON + HOUR)

    assert told(schedule) == [("13:00:00", 1, "fired", "")]
