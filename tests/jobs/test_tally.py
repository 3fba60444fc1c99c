"""The tally of ended jobs keeps step with the rows, whatever happens to them."""

from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import tally
from jobs.endings import attempt_failed, completed, given_back, worker_lost
from jobs.errors import DoNotRetry, JobFailed
from jobs.lifecycle import end_many
from jobs.models import Job, Tally
from jobs.services import NewJob, submit_job
from jobs.states import FINAL_STATES, State
from jobs.steering import cancel_job, delete_job, retry_job
from tests.jobs.making import PING, active, claim, delayed, ended, start, waiting
from tests.parts import Api, at_once

on_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL reads a small table as a whole whatever index it has"
)


@pytest.fixture(autouse=True)
def in_step(committed_db: None) -> Any:  # noqa: ARG001  (its rows must still be there afterwards)
    """At the end of every test the tally agrees with the rows."""
    yield
    assert tally.ended_jobs() == {state: Job.objects.filter(state=state).count() for state in FINAL_STATES}


def counts(**expected: int) -> dict[State, int]:
    return {state: expected.get(state.value, 0) for state in FINAL_STATES}


def fail(error: Exception) -> Any:
    return attempt_failed(start(), error, at=timezone.now(), backoff_seconds=5, jitter=0)


def test_ends_are_counted():
    end_many([completed(start(), {}, at=timezone.now()), completed(start(), {}, at=timezone.now())])
    end_many([fail(DoNotRetry("never"))])

    assert tally.ended_jobs() == counts(completed=2, failed=1)


def test_runs_that_are_no_end_are_not():
    end_many([fail(JobFailed("once more"))])
    end_many([given_back(start(), at=timezone.now(), reason="stopped")])
    end_many([worker_lost(start(), at=timezone.now(), reason="lost")])

    assert tally.ended_jobs() == counts()


def test_an_end_that_came_too_late_is_not_counted():
    end_many([completed(claim(job_id=active().pk, token="x" * 32), {}, at=timezone.now())])

    assert tally.ended_jobs() == counts()


def test_an_end_that_does_not_commit_is_not_counted():
    with transaction.atomic():
        end_many([completed(start(), {}, at=timezone.now())])
        transaction.set_rollback(True)

    assert tally.ended_jobs() == counts()


def test_cancelled_retried_and_deleted_jobs_are_followed():
    first, second, running = waiting(), delayed(due_at=timezone.now()), active()
    for job in (first, second, running):
        cancel_job(job.pk, by="ana")
    cancel_job(first.pk, by="ana")
    assert tally.ended_jobs() == counts(cancelled=2)

    retry_job(first.pk, by="ana")
    delete_job(second.pk)
    delete_job(first.pk)

    assert tally.ended_jobs() == counts()


def test_a_job_that_is_replaced_is_counted_as_cancelled():
    waiting(PING, concurrency_key="briefs")

    submit_job(NewJob(job_type=PING, input={}, owner="ana", concurrency_key="briefs", on_conflict="replace"))

    assert tally.ended_jobs() == counts(cancelled=1)


def test_ends_at_the_same_instant_are_all_counted():
    claims = [start() for _ in range(8)]

    at_once([partial(end_many, [completed(one, {}, at=timezone.now())]) for one in claims])

    assert tally.ended_jobs() == counts(completed=8)


def test_a_wrong_tally_is_put_right():
    ended("completed")
    ended("failed")
    Tally.objects.filter(state="completed").update(count=7)
    Tally.objects.filter(state="failed").delete()

    assert tally.repair() == {State.COMPLETED: -6, State.FAILED: 1}
    assert tally.repair() == {}


def test_the_stats_are_those_of_the_rows(api: Api):
    waiting()
    active()
    delayed(due_at=timezone.now())
    for state in ("completed", "completed", "failed", "cancelled"):
        ended(state)

    answer = api.get("/queues/stats").json()

    expected = {"delayed": 1, "waiting": 1, "active": 1, "completed": 2, "failed": 1, "cancelled": 1}
    assert {name: answer[name] for name in expected} == expected


@on_sqlite
def test_the_stats_look_at_no_ended_job(api: Api):
    with CaptureQueriesContext(connection) as queries:
        api.get("/queues/stats")

    asked = [query["sql"] for query in queries if "jobs_job" in query["sql"]]
    assert len(asked) == 4
    with connection.cursor() as cursor:
        for sql in asked:
            plan = " ".join(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
            assert "INDEX job_" in plan
            assert "TEMP B-TREE" not in plan


@on_sqlite
def test_the_oldest_waiting_job_is_found_by_an_index():
    plan = Job.objects.waiting().order_by("queued_at").values_list("queued_at")[:1].explain()

    assert "job_waiting_since" in plan


def test_the_migration_counts_what_has_ended_before():
    Job.objects.filter(pk=waiting().pk).update(state="failed", finished_at=timezone.now())
    executor = MigrationExecutor(connection)
    executor.migrate([("jobs", "0001_initial")])

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("jobs"))

    assert tally.ended_jobs() == counts(failed=1)
