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
    forget_keys,
    promote_due,
    ring_held_up,
    ring_unheard,
)
from pirunner.doorbell import Ring
from tests.jobs.making import PING, SLOW, delayed, job_type, register, waiting

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
