"""Several workers at the same instant, in threads with connections of their own."""

from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from jobs.contract import JobType
from jobs.endings import completed, worker_lost
from jobs.lifecycle import end_many, start_many
from jobs.models import Job
from jobs.runs import Claim
from tests.jobs.making import CLAIMER, PING, SLOW, job_type, register, start, waiting
from tests.parts import at_once
from webhooks.models import Event

pytestmark = pytest.mark.usefixtures("committed_db")


def claims_of(outcomes: list[Any]) -> list[Claim]:
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    return [claim for claims in outcomes for claim in claims]


@pytest.mark.parametrize("kind", [SLOW, PING], ids=["heavy", "light"])
def test_workers_that_claim_at_once_never_share_a_job(kind: JobType) -> None:
    for _ in range(6):
        waiting(kind)

    claims = claims_of(at_once([lambda: start_many(job_type=kind, claimer=CLAIMER)] * 4))

    counts = Counter(claim.job_id for claim in claims)
    assert set(counts.values()) == {1}
    assert Job.objects.active().count() == len(claims)
    for claim in claims:
        assert Job.objects.get(pk=claim.job_id).token == claim.token


@pytest.mark.parametrize("kind", [SLOW, PING], ids=["heavy", "light"])
def test_workers_that_claim_one_key_at_once_start_one_job(kind: JobType) -> None:
    for _ in range(4):
        waiting(kind, concurrency_key="briefs")

    claims = claims_of(at_once([lambda: start_many(job_type=kind, claimer=CLAIMER)] * 4))

    assert len(claims) == 1
    assert Job.objects.active().count() == 1
    assert Job.objects.waiting().count() == 3


def test_of_two_that_end_a_run_at_once_one_does() -> None:
    claim = start()
    lost = worker_lost(claim, at=timezone.now(), reason="worker lost")

    outcomes = at_once([lambda: end_many([completed(claim, {}, at=timezone.now())]), lambda: end_many([lost])])

    assert sorted(map(len, outcomes)) == [0, 1]  # type: ignore[arg-type]
    assert Event.objects.exclude(kind="job.started").count() == 1


# -- slots of one worker --------------------------------------------------------------------------------------------

LONG = job_type("long", long=True)


@pytest.mark.parametrize(("concurrency", "most"), [(1, 1), (2, 1), (3, 2), (4, 3)])
def test_long_jobs_leave_a_slot_of_their_worker_to_others(
    owner: Any, monkeypatch: pytest.MonkeyPatch, concurrency: int, most: int
) -> None:
    owner.WORKER_CONCURRENCY = concurrency
    register(monkeypatch, LONG)
    for _ in range(5):
        waiting(LONG)

    claims = [start_many(job_type=LONG, claimer=CLAIMER) for _ in range(5)]

    assert sum(map(len, claims)) == most
