"""Taking back what dead and frozen workers held."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import sweep
from jobs.claims import claim_of
from jobs.endings import attempt_failed
from jobs.errors import JobFailed
from jobs.lifecycle import end_many
from jobs.models import Job
from jobs.sweep import end_lost, take_back_expired
from pirunner.doorbell import Ring
from tests.jobs.making import CLAIMER, SLOW, active, register
from webhooks.models import Event

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def known_types(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, SLOW)


@pytest.fixture
def now() -> Any:
    return timezone.now()


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


def test_a_lease_that_is_renewed_at_the_last_moment_is_left_alone(monkeypatch: pytest.MonkeyPatch, now: Any) -> None:
    job, other = expired(now), expired(now, token="u" * 32)

    def renewed_meanwhile(endings: Any) -> Any:
        Job.objects.filter(pk=job.pk).update(lease_expires_at=now + SECOND)
        return end_many(endings)

    monkeypatch.setattr(sweep, "end_many", renewed_meanwhile)

    assert take_back_expired(now) == 1

    job.refresh_from_db()
    other.refresh_from_db()
    assert (job.state, other.state) == ("active", "waiting")


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


def test_claimed_jobs_of_other_children_are_not_touched(now: Any) -> None:
    other = active(child_pid=CLAIMER.child_pid + 1, token="u" * 32)
    expired(now)

    take_back_expired(now)

    other.refresh_from_db()
    assert other.state == "active"


def test_a_failed_attempt_of_a_job_that_somebody_cancelled_is_not_retried(now: Any) -> None:
    held = active(token="v" * 32)
    Job.objects.update(cancel_requested_at=now, cancel_requested_by="ana")
    failed = attempt_failed(claim_of(held, chained=1), JobFailed("no"), at=now, backoff_seconds=5, jitter=0)

    end_many([failed])

    held.refresh_from_db()
    assert (held.state, held.error) == ("cancelled", "cancelled by ana")
