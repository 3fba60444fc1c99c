"""Starting and ending runs: the row, its history, its event, its delivery and its files in one transaction."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from django_celery_results.models import TaskResult

from jobs import lifecycle
from jobs.context import RunContext
from jobs.endings import Ending, attempt_failed, cancelled, completed, given_back, worker_lost
from jobs.errors import JobFailed
from jobs.lifecycle import end_many, start_many
from jobs.models import Artifact, Job
from jobs.ranking import rank_of
from jobs.runs import Claim
from pirunner.doorbell import Ring
from tests.jobs.making import CLAIMER, PING, SLOW, WORKER, active, start, waiting
from webhooks.models import Delivery, Event
from webhooks.services import DELIVER_TASK

pytestmark = pytest.mark.usefixtures("committed_db")

HOOK = "http://127.0.0.1:1/hook"


def everything() -> dict[str, Any]:
    """Return all rows there are, to see that nothing changed."""
    models: tuple[Any, ...] = (Job, TaskResult, Event, Delivery, Artifact)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def completed_now(claim: Claim, result: dict[str, Any] | None = None, **fields: Any) -> Ending:
    return completed(claim, result or {}, at=timezone.now(), **fields)


def failed_now(claim: Claim) -> Ending:
    return attempt_failed(
        claim, JobFailed("no price"), at=timezone.now(), backoff_seconds=5, jitter=0, traceback="Trace\x00back"
    )


def row_of(claim: Claim) -> Job:
    return Job.objects.get(pk=claim.job_id)


# -- starting -----------------------------------------------------------------------------------------------------


def test_the_start_of_a_heavy_job_is_recorded() -> None:
    claim = start(metadata={"a": 1})

    run = TaskResult.objects.get()
    assert (run.task_id, run.task_name, run.status, run.worker) == (claim.run_id, "jobs.slow", "STARTED", WORKER)
    assert (run.task_args, run.date_started) == (json.dumps([claim.job_id]), claim.started_at)
    event = Event.objects.get()
    assert (event.job_id, event.kind, event.at) == (claim.job_id, "job.started", claim.started_at)
    assert json.loads(event.payload)["metadata"] == {"a": 1}
    assert not Delivery.objects.exists()


def test_the_start_of_light_jobs_is_not() -> None:
    waiting(PING)

    (claim,) = start_many(job_type=PING, claimer=CLAIMER)

    assert row_of(claim).state == "active"
    assert not TaskResult.objects.exists()
    assert not Event.objects.exists()


def test_a_start_that_cannot_be_recorded_is_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting()
    before = everything()
    monkeypatch.setattr(lifecycle, "record_events", _fail)

    with pytest.raises(DatabaseError):
        start_many(job_type=SLOW, claimer=CLAIMER)

    assert everything() == before


def _fail(_events: Any) -> list[int]:
    raise DatabaseError("disk I/O error")


def test_another_type_is_not_started() -> None:
    waiting(PING)

    assert start_many(job_type=SLOW, claimer=CLAIMER) == []


# -- ending -------------------------------------------------------------------------------------------------------


def test_a_completed_run_is_recorded_everywhere(rings: list[Ring]) -> None:
    claim = start(callback_url=HOOK)
    artifact = RunContext(claim).artifact("brief.md", "# Brief")

    assert len(end_many([completed_now(claim, {"summary": "Done.", "n": 1}, artifacts=(artifact,))])) == 1

    job = row_of(claim)
    assert (job.state, job.attempts_made, job.summary, job.error) == ("completed", 1, "Done.", "")
    assert job.result == {"summary": "Done.", "n": 1}
    assert (job.token, job.lease_expires_at, job.deadline_at, job.child_pid) == (None, None, None, None)
    assert job.finished_at is not None
    run = TaskResult.objects.get()
    assert (run.task_id, run.status, run.result) == (claim.run_id, "SUCCESS", '{"summary":"Done.","n":1}')
    kept = Artifact.objects.get()
    assert (kept.job_id, kept.run, kept.name, kept.size) == (job.pk, 1, "brief.md", 7)
    assert kept.path == f"{job.pk}/1/brief.md"
    event = Event.objects.get(kind="job.completed")
    delivery = Delivery.objects.get()
    assert (delivery.url, delivery.event, delivery.body) == (HOOK, "job.completed", event.payload)
    assert (delivery.state, delivery.attempts, delivery.next_attempt_at) == ("pending", 0, job.finished_at)
    assert delivery.event_id == json.loads(event.payload)["eventId"]
    assert rings == [Ring(DELIVER_TASK, delivery.pk, "webhooks")]


def test_a_failed_attempt_is_due_again_after_its_back_off() -> None:
    claim = start(callback_url=HOOK, priority=3)

    (ending,) = end_many([failed_now(claim)])

    job = row_of(claim)
    assert (job.state, job.attempts_made, job.due_at) == ("delayed", 1, ending.due_at)
    assert (job.error, job.error_class, job.finished_at) == ("no price", "JobFailed", None)
    assert ending.due_at is not None
    assert job.rank == rank_of(3, ending.due_at)
    run = TaskResult.objects.get()
    assert (run.status, run.result, run.traceback) == ("FAILURE", '{"error": "no price"}', "Trace�back")
    assert Event.objects.filter(kind="job.retrying").count() == 1
    assert not Delivery.objects.exists()


def test_the_last_failed_attempt_ends_the_job_and_is_called_back_once() -> None:
    claim = start(callback_url=HOOK, attempts_made=2, run=2)

    end_many([failed_now(claim)])

    job = row_of(claim)
    assert (job.state, job.attempts_made, job.run) == ("failed", 3, 3)
    assert job.finished_at is not None
    assert [delivery.event for delivery in Delivery.objects.all()] == ["job.failed"]


def test_a_success_after_a_failure_leaves_no_error_behind() -> None:
    claim = start(error="no price", error_class="JobFailed", attempts_made=1)

    end_many([completed_now(claim)])

    assert (row_of(claim).error, row_of(claim).error_class) == ("", "")


def test_a_lost_run_waits_again_at_its_old_place() -> None:
    claim = start()
    rank = row_of(claim).rank

    end_many([worker_lost(claim, at=timezone.now(), reason="worker lost")])

    job = row_of(claim)
    assert (job.state, job.attempts_made, job.rank) == ("waiting", 1, rank)
    assert job.queued_at is not None
    assert TaskResult.objects.get().status == "FAILURE"


def test_a_run_given_back_uses_up_no_attempt_but_its_number() -> None:
    claim = start()

    end_many([given_back(claim, at=timezone.now(), reason="stopped")])
    (again,) = start_many(job_type=SLOW, claimer=CLAIMER)

    assert (again.run, again.attempt) == (2, 1)
    assert TaskResult.objects.get(task_id=claim.run_id).status == "REVOKED"


def test_a_cancelled_run_is_called_back() -> None:
    claim = start(callback_url=HOOK)

    end_many([cancelled(claim, at=timezone.now(), by="ana")])

    assert (row_of(claim).state, row_of(claim).error) == ("cancelled", "cancelled by ana")
    assert Delivery.objects.get().event == "job.cancelled"


def test_light_runs_end_together_with_one_history_row_each() -> None:
    for _ in range(3):
        waiting(PING)
    claims = start_many(job_type=PING, claimer=CLAIMER)

    end_many([completed_now(claims[0]), failed_now(claims[1]), completed_now(claims[2])])

    assert Counter(Job.objects.values_list("state", flat=True)) == {"completed": 2, "delayed": 1}
    assert set(TaskResult.objects.values_list("task_id", flat=True)) == {claim.run_id for claim in claims}


@pytest.mark.parametrize(("given", "by_setting", "url"), [("http://a/", "http://b/", "http://a/"), ("", "b", "b")])
def test_the_callback_goes_to_the_jobs_url_or_else_to_the_owners(
    owner: Any, given: str, by_setting: str, url: str
) -> None:
    owner.CALLBACK_URL = by_setting
    claim = start(callback_url=given)

    end_many([completed_now(claim)])

    assert Delivery.objects.get().url == url


def test_without_any_url_nothing_is_sent(rings: list[Ring]) -> None:
    claim = start()

    end_many([completed_now(claim)])

    assert not Delivery.objects.exists()
    assert rings == []


# -- fencing ------------------------------------------------------------------------------------------------------


def stale_after_retaking() -> Claim:
    claim = start(callback_url=HOOK)
    end_many([worker_lost(claim, at=timezone.now(), reason="worker lost")])
    start_many(job_type=SLOW, claimer=CLAIMER)
    return claim


def stale_after_end() -> Claim:
    claim = start(callback_url=HOOK)
    end_many([completed_now(claim)])
    return claim


def stale_after_deletion() -> Claim:
    claim = start(callback_url=HOOK)
    Job.objects.all().delete()
    return claim


@pytest.mark.parametrize("become_stale", [stale_after_retaking, stale_after_end, stale_after_deletion])
def test_a_stale_token_changes_nothing_at_all(become_stale: Any, rings: list[Ring]) -> None:
    claim = become_stale()
    artifact = RunContext(claim).artifact("late.md", "late")
    before = everything()
    rings.clear()

    assert end_many([completed_now(claim, {"late": True}, artifacts=(artifact,))]) == []

    assert everything() == before
    assert rings == []


def test_one_stale_run_does_not_spoil_the_others() -> None:
    stale, valid = stale_after_end(), start()

    effective = end_many([completed_now(stale), completed_now(valid)])

    assert [ending.claim.job_id for ending in effective] == [valid.job_id]
    assert row_of(valid).state == "completed"


@pytest.mark.parametrize("failing", ["record_events", "_artifact_rows"])
def test_an_end_that_cannot_be_recorded_whole_is_not_recorded_at_all(
    monkeypatch: pytest.MonkeyPatch, rings: list[Ring], failing: str
) -> None:
    claim = start(callback_url=HOOK)
    before = everything()
    monkeypatch.setattr(lifecycle, failing, _fail)

    with pytest.raises(DatabaseError):
        end_many([completed_now(claim)])

    assert everything() == before
    assert rings == []


def test_the_database_itself_refuses_an_active_job_that_nobody_holds() -> None:
    with pytest.raises(DatabaseError):
        active(token=None)
    connection.close()


def test_a_job_due_long_ago_keeps_its_due_time() -> None:
    due = timezone.now() - timedelta(days=1)
    claim = start(due_at=due)

    end_many([completed_now(claim)])

    assert row_of(claim).due_at == due
