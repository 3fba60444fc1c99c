"""What the clock does for jobs, each round harmless to repeat."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import sweep
from jobs.models import IdempotencyKey, Job
from jobs.sweep import (
    RINGS_PER_TYPE,
    UNHEARD,
    end_lost,
    forget_keys,
    promote_due,
    ring_held_up,
    ring_unheard,
    take_back_expired,
)
from pirunner.doorbell import Ring
from tests.jobs.making import CLAIMER, PING, SLOW, active, delayed, job_type, register, waiting
from webhooks.models import Event

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
LONG = job_type("long", long=True)


@pytest.fixture(autouse=True)
def known_types(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, SLOW, LONG)


@pytest.fixture
def now() -> Any:
    return timezone.now()


# -- due jobs -----------------------------------------------------------------------------------------------------


def test_a_due_job_becomes_waiting_and_is_rung_for(now: Any, rings: list[Ring]) -> None:
    job = delayed(due_at=now, priority=2)

    assert promote_due(now) == 1

    job.refresh_from_db()
    assert (job.state, job.queued_at, job.due_at) == ("waiting", now, now)
    assert rings == [Ring("jobs.slow", job.pk, "jobs", 2)]


def test_a_job_due_later_stays(now: Any, rings: list[Ring]) -> None:
    job = delayed(due_at=now + SECOND)

    assert promote_due(now) == 0

    job.refresh_from_db()
    assert (job.state, rings) == ("delayed", [])


def test_the_ring_of_a_due_light_job_is_shared(now: Any, rings: list[Ring]) -> None:
    delayed(PING, due_at=now)

    promote_due(now)

    assert rings[0].shared


def test_a_batch_of_due_jobs_begins_with_the_longest_overdue(monkeypatch: pytest.MonkeyPatch, now: Any) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    jobs = [delayed(due_at=now - SECOND * overdue) for overdue in (1, 3, 2)]

    assert [promote_due(now), promote_due(now), promote_due(now)] == [2, 1, 0]

    jobs[0].refresh_from_db()
    assert jobs[0].state == "waiting"


def test_a_first_batch_takes_no_more_than_its_size(monkeypatch: pytest.MonkeyPatch, now: Any) -> None:
    monkeypatch.setattr(sweep, "BATCH", 1)
    delayed(due_at=now - SECOND)
    oldest = delayed(due_at=now - 2 * SECOND)

    promote_due(now)

    assert list(Job.objects.waiting().values_list("pk", flat=True)) == [oldest.pk]


# -- lost workers -------------------------------------------------------------------------------------------------


def expired(now: Any, **fields: Any) -> Job:
    return active(**{"lease_expires_at": now - SECOND, **fields})


def test_a_job_whose_lease_is_over_waits_again_and_is_rung_for(now: Any, rings: list[Ring]) -> None:
    job = expired(now)

    assert take_back_expired(now) == 1

    job.refresh_from_db()
    assert (job.state, job.attempts_made, job.token, job.error_class) == ("waiting", 1, None, "WorkerLost")
    assert "stopped renewing its lease" in job.error
    assert rings == [Ring("jobs.slow", job.pk, "jobs")]
    assert Event.objects.get().kind == "job.requeued"


def test_a_job_whose_lease_is_not_over_stays(now: Any) -> None:
    job = active(lease_expires_at=now)

    assert take_back_expired(now) == 0

    job.refresh_from_db()
    assert job.state == "active"


def test_taking_back_twice_changes_nothing_more(now: Any) -> None:
    expired(now)

    assert [take_back_expired(now), take_back_expired(now)] == [1, 0]


def test_a_job_lost_at_its_last_attempt_has_failed(now: Any, rings: list[Ring]) -> None:
    job = expired(now, attempts_made=2, callback_url="http://x/")

    take_back_expired(now)

    job.refresh_from_db()
    assert (job.state, job.attempts_made) == ("failed", 3)
    assert [ring.task for ring in rings] == ["webhooks.deliver"]


def test_jobs_lost_together_get_their_attempts_back(now: Any) -> None:
    jobs = [expired(now, token="c" * 32) for _ in range(3)]

    take_back_expired(now)

    for job in jobs:
        job.refresh_from_db()
    assert {(job.state, job.attempts_made, job.run) for job in jobs} == {("waiting", 0, 1)}


def test_a_lost_job_that_somebody_cancelled_is_cancelled(now: Any, rings: list[Ring]) -> None:
    job = expired(now, cancel_requested_at=now, cancel_requested_by="ana")

    take_back_expired(now)

    job.refresh_from_db()
    assert (job.state, job.error) == ("cancelled", "cancelled by ana")
    assert rings == []


def test_the_reason_of_an_ended_child_is_told_by_its_pid(now: Any) -> None:
    jobs = [active(child_pid=7), active(child_pid=8, token="u" * 32)]

    end_lost(jobs, now=now, reason="worker lost", why={7: "time limit exceeded"})

    assert list(Job.objects.order_by("pk").values_list("error", flat=True)) == ["time limit exceeded", "worker lost"]


def test_a_planned_stop_costs_no_attempt_but_an_ended_child_does(now: Any) -> None:
    jobs = [active(child_pid=7), active(child_pid=8, token="u" * 32)]

    end_lost(jobs, now=now, reason="stopped", why={7: "time limit exceeded"}, planned=True)

    assert list(Job.objects.order_by("pk").values_list("attempts_made", flat=True)) == [1, 0]


def test_a_row_that_was_ended_meanwhile_is_left_alone(now: Any, rings: list[Ring]) -> None:
    stale = expired(now)
    Job.objects.update(state="completed", token=None)

    assert end_lost([stale], now=now, reason="worker lost") == []

    assert Job.objects.get().state == "completed"
    assert rings == []


# -- unheard jobs -------------------------------------------------------------------------------------------------


def test_a_job_that_waits_unheard_is_rung_for_again(now: Any, rings: list[Ring]) -> None:
    job = waiting(since=now - UNHEARD - SECOND, priority=3)

    assert ring_unheard(now) == 1

    assert rings == [Ring("jobs.slow", job.pk, "jobs", 3, again=True)]


def test_a_job_that_waits_for_a_moment_is_not(now: Any, rings: list[Ring]) -> None:
    waiting(since=now - UNHEARD + SECOND)

    assert ring_unheard(now) == 0
    assert rings == []


def test_light_jobs_share_one_ring_of_the_most_urgent(now: Any, rings: list[Ring]) -> None:
    waiting(PING, since=now - 2 * UNHEARD)
    urgent = waiting(PING, since=now - 2 * UNHEARD, priority=1)

    ring_unheard(now)

    assert rings == [Ring("jobs.ping", urgent.pk, "jobs", 1, shared=True, again=True)]


def test_a_round_of_rings_is_bounded(monkeypatch: pytest.MonkeyPatch, now: Any) -> None:
    monkeypatch.setattr(sweep, "RINGS_PER_TYPE", 2)
    for _ in range(3):
        waiting(since=now - 2 * UNHEARD)

    assert ring_unheard(now) == 2
    assert RINGS_PER_TYPE >= 10


def test_types_that_may_not_run_here_are_not_rung_for(owner: Any, now: Any, rings: list[Ring]) -> None:
    waiting(since=now - 2 * UNHEARD)
    owner.RUNNER_JOBS = ("ping",)

    assert ring_unheard(now) == 0
    assert rings == []


# -- held up jobs -------------------------------------------------------------------------------------------------


def test_the_next_of_a_key_is_rung_for(rings: list[Ring]) -> None:
    waiting(concurrency_key="other")
    following = waiting(concurrency_key="briefs")
    waiting(concurrency_key="briefs")

    ring_held_up(SLOW, ["briefs", "", "briefs"])

    assert rings == [Ring("jobs.slow", following.pk, "jobs")]


def test_after_a_long_job_the_next_long_one_is_rung_for(rings: list[Ring]) -> None:
    waiting()
    following = waiting(LONG)

    ring_held_up(LONG, [""])

    assert [ring.row_id for ring in rings] == [following.pk]


def test_when_nothing_was_held_up_nothing_is_rung_for(rings: list[Ring]) -> None:
    waiting()

    ring_held_up(SLOW, [""])

    assert rings == []


# -- old keys -----------------------------------------------------------------------------------------------------


def test_keys_whose_time_is_over_are_forgotten(now: Any) -> None:
    for key, expires_at in (("old", now), ("live", now + SECOND)):
        IdempotencyKey.objects.create(owner="o", key=key, body_sha256="", answer={}, expires_at=expires_at)

    assert [forget_keys(now), forget_keys(now)] == [1, 0]
    assert IdempotencyKey.objects.get().key == "live"


def test_claimed_jobs_of_other_children_are_not_touched(now: Any) -> None:
    other = active(child_pid=CLAIMER.child_pid + 1, token="u" * 32)
    expired(now)

    take_back_expired(now)

    other.refresh_from_db()
    assert other.state == "active"
