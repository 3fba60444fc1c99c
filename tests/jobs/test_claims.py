"""Claiming: who gets which job, and how long it is held."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs.claims import CHAIN_LENGTH, LEASE, Claimer, claim_many, claim_of, renew_leases
from jobs.contract import HARD_GRACE, JobType
from jobs.models import Job
from jobs.runs import Claim
from tests.jobs.making import CLAIMER, INSTANCE, PING, SLOW, active, delayed, job_type, waiting

pytestmark = pytest.mark.django_db

OTHER = job_type("other")
NOW = datetime.fromisoformat("2026-03-01T12:00:00+00:00")


def claim_some(kind: JobType = SLOW, *, queue: str = "jobs") -> list[Claim]:
    return claim_many(job_type=kind, queue=queue, claimer=CLAIMER, now=NOW)


def claim_one(kind: JobType = SLOW) -> int:
    (claim,) = claim_some(kind)
    return claim.job_id


# -- which ----------------------------------------------------------------------------------------------------


def test_nothing_waits_nothing_is_claimed() -> None:
    assert claim_some() == []
    assert claim_some(PING) == []


def test_the_most_urgent_is_claimed_first_then_the_oldest() -> None:
    later = waiting(since=NOW)
    urgent = waiting(since=NOW, priority=1)
    older = waiting(since=NOW - timedelta(seconds=1))

    assert [claim_one() for _ in range(3)] == [urgent.pk, older.pk, later.pk]


def test_of_two_of_the_same_rank_the_smaller_id_is_claimed_first() -> None:
    first, second = waiting(since=NOW), waiting(since=NOW)

    assert [claim_one(), claim_one()] == [first.pk, second.pk]


def test_an_old_job_of_low_priority_is_not_starved_by_urgent_ones() -> None:
    waiting(since=NOW, priority=1)
    patient = waiting(since=NOW - timedelta(hours=3), priority=10)

    assert claim_one() == patient.pk


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
def test_an_ended_job_is_not_claimed(state: str) -> None:
    waiting(state=state)

    assert claim_some() == []


def test_neither_a_delayed_nor_an_active_job_is_claimed() -> None:
    delayed(due_at=NOW - timedelta(hours=1))
    active()

    assert claim_some() == []


def test_another_type_and_another_queue_are_untouched() -> None:
    waiting(OTHER)
    waiting(queue="elsewhere")

    assert claim_some() == []
    assert set(Job.objects.values_list("state", flat=True)) == {"waiting"}


def test_a_heavy_type_yields_one_job() -> None:
    for _ in range(3):
        waiting()

    assert len(claim_some()) == 1
    assert Job.objects.waiting().count() == 2


# -- chains of light jobs ---------------------------------------------------------------------------------------


def test_fresh_light_jobs_are_claimed_together_in_order() -> None:
    jobs = [waiting(PING, since=NOW, priority=priority) for priority in (9, 1, 5)]

    claims = claim_some(PING)

    assert [claim.job_id for claim in claims] == [jobs[1].pk, jobs[2].pk, jobs[0].pk]
    assert {claim.chained for claim in claims} == {3}
    assert len({claim.token for claim in claims}) == 1


def test_a_chain_has_a_limit() -> None:
    Job.objects.bulk_create([_copy_of(waiting(PING)) for _ in range(CHAIN_LENGTH)])

    assert len(claim_some(PING)) == CHAIN_LENGTH
    assert Job.objects.waiting().count() == CHAIN_LENGTH


def _copy_of(job: Job) -> Job:
    job.pk = None
    return job


def test_a_light_job_that_ran_before_is_claimed_alone() -> None:
    ran = waiting(PING, since=NOW, run=1)
    waiting(PING, since=NOW + timedelta(seconds=1))

    (claim,) = claim_some(PING)

    assert (claim.job_id, claim.run, claim.chained) == (ran.pk, 2, 1)


def test_a_chain_leaves_out_what_ran_before() -> None:
    fresh = [waiting(PING, since=NOW), waiting(PING, since=NOW + timedelta(seconds=2))]
    ran = waiting(PING, since=NOW + timedelta(seconds=1), run=1)

    assert [claim.job_id for claim in claim_some(PING)] == [job.pk for job in fresh]
    assert claim_one(PING) == ran.pk


# -- concurrency keys ---------------------------------------------------------------------------------------------


def test_a_job_whose_key_is_running_waits() -> None:
    active(concurrency_key="briefs")
    waiting(concurrency_key="briefs")
    free = waiting(since=timezone.now() + timedelta(hours=1))

    assert claim_one() == free.pk
    assert claim_some() == []


def test_the_key_of_another_type_counts_too() -> None:
    active(OTHER, concurrency_key="briefs")
    waiting(concurrency_key="briefs")

    assert claim_some() == []


def test_a_light_job_with_a_key_is_claimed_alone() -> None:
    keyed = waiting(PING, since=NOW, concurrency_key="briefs")
    waiting(PING, since=NOW + timedelta(seconds=1))

    (claim,) = claim_some(PING)

    assert (claim.job_id, claim.concurrency_key, claim.chained) == (keyed.pk, "briefs", 1)


# -- what a claim is ----------------------------------------------------------------------------------------------


def test_the_row_tells_who_holds_it_and_until_when() -> None:
    job = waiting(progress=50, status_message="half")

    (claim,) = claim_some()
    job.refresh_from_db()

    assert (job.state, job.run, job.token) == ("active", 1, claim.token)
    assert (job.worker, job.child_pid) == (CLAIMER.worker, CLAIMER.child_pid)
    assert (job.started_at, job.lease_expires_at) == (NOW, NOW + LEASE)
    assert job.deadline_at == NOW + timedelta(seconds=SLOW.time_limit + HARD_GRACE)
    assert (job.progress, job.status_message) == (0, "")


def test_the_claim_tells_all_that_a_run_needs() -> None:
    job = waiting(input={"a": "\x00"}, metadata={"b": 1}, callback_url="http://x/", attempts_made=1, run=4, priority=2)

    assert claim_some() == [claim_of(Job.objects.get(pk=job.pk), chained=1)]
    job.refresh_from_db()
    claim = claim_of(job, chained=1)
    assert (claim.run, claim.run_id, claim.attempt, claim.max_attempts) == (5, f"{job.pk}:5", 2, 3)
    assert (claim.input, claim.metadata, claim.callback_url, claim.priority) == (
        {"a": "\x00"},
        {"b": 1},
        "http://x/",
        2,
    )


def test_every_claim_has_a_token_of_its_own() -> None:
    waiting()
    waiting()

    assert claim_some()[0].token != claim_some()[0].token


def test_there_is_no_claim_of_a_job_that_nobody_holds() -> None:
    with pytest.raises(ValueError, match="is not active"):
        claim_of(waiting(), chained=1)


# -- leases -------------------------------------------------------------------------------------------------------


def renew(pids: list[int], instance: str = INSTANCE) -> int:
    return renew_leases(instance=instance, child_pids=pids, now=NOW)


@pytest.mark.parametrize(
    ("fields", "renewed"),
    [
        ({}, 1),
        ({"child_pid": 7}, 0),
        ({"instance": "elsewhere/4241/1"}, 0),
    ],
    ids=["a live busy child", "another child", "another worker"],
)
def test_renewal(fields: dict[str, Any], renewed: int) -> None:
    job = active(**{"lease_expires_at": NOW, "deadline_at": NOW + timedelta(seconds=1), **fields})

    assert renew([CLAIMER.child_pid]) == renewed
    job.refresh_from_db()
    assert job.lease_expires_at == (NOW + LEASE if renewed else NOW)


def test_a_worker_without_busy_children_renews_nothing() -> None:
    active()

    assert renew([]) == 0


def test_a_job_that_waits_again_is_not_renewed() -> None:
    waiting(instance=INSTANCE, child_pid=CLAIMER.child_pid)

    assert renew([CLAIMER.child_pid]) == 0


def test_the_index_finds_the_next_job_without_reading_the_others() -> None:
    waiting()
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by statistics")
    sql = "SELECT id FROM jobs_job WHERE state = 'waiting' AND queue = 'jobs' AND job_type = 'slow' ORDER BY rank, id"

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        plan = " ".join(row[3] for row in cursor.fetchall())

    assert "job_claim" in plan
    assert "TEMP B-TREE" not in plan


def test_claimers_are_named_by_their_worker() -> None:
    waiting()

    (claim,) = claim_many(
        job_type=SLOW, queue="jobs", claimer=Claimer(worker="w@h", instance="h/1/1", child_pid=1), now=NOW
    )

    assert claim.worker == "w@h"
