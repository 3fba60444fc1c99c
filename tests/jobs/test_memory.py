"""What a job remembers: from one attempt to the next, and from one job to the next."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import memory
from jobs.context import RunContext
from jobs.contract import Context
from jobs.endings import attempt_failed, completed
from jobs.errors import DoNotRetry, JobFailed, RunLost
from jobs.lifecycle import end_many, start_many
from jobs.models import Checkpoint, Job, KeptValue
from jobs.runner import answer_ring
from jobs.runs import Claim
from jobs.steering import delete_job, retry_job
from tests.jobs.making import CLAIMER, SLOW, claim, job_type, register, start, submit

pytestmark = pytest.mark.usefixtures("committed_db")


def fail(held: Claim) -> Claim:
    """End an attempt as failed, and claim the job again."""
    end_many([attempt_failed(held, JobFailed("no"), at=timezone.now(), backoff_seconds=0, jitter=0)])
    Job.objects.filter(pk=held.job_id).update(state="waiting", queued_at=timezone.now())
    (again,) = start_many(job_type=SLOW, claimer=CLAIMER)
    return again


# -- checkpoints --------------------------------------------------------------------------------------------------


def test_the_next_attempt_knows_what_is_done() -> None:
    first = RunContext(start())
    first.checkpoint("page 1", {"words": 3})
    first.checkpoint("page 2", None)
    first.checkpoint("page 1", {"words": 4})

    again = RunContext(fail(first._claim))

    assert again.checkpoints() == first.checkpoints() == {"page 1": {"words": 4}, "page 2": None}


def test_they_go_when_the_job_completes_and_not_before() -> None:
    held = start()
    RunContext(held).checkpoint("a", 1)
    again = fail(held)
    assert Checkpoint.objects.count() == 1

    end_many([completed(again, {}, at=timezone.now())])

    assert Checkpoint.objects.count() == 0


def test_a_failed_job_that_is_retried_by_hand_goes_on_where_it_stopped() -> None:
    held = start()
    RunContext(held).checkpoint("a", 1)
    end_many([attempt_failed(held, DoNotRetry("no"), at=timezone.now(), backoff_seconds=0, jitter=0)])

    retry_job(held.job_id, by="ana")

    (again,) = start_many(job_type=SLOW, claimer=CLAIMER)
    assert RunContext(again).checkpoints() == {"a": 1}


def test_they_go_with_their_job() -> None:
    held = start()
    RunContext(held).checkpoint("a", 1)
    end_many([attempt_failed(held, DoNotRetry("no"), at=timezone.now(), backoff_seconds=0, jitter=0)])

    delete_job(held.job_id)

    assert Checkpoint.objects.count() == 0


def test_a_run_whose_lease_went_to_another_writes_nothing() -> None:
    stale = start()
    fresh = RunContext(fail(stale))
    fresh.checkpoint("a", "fresh")

    with pytest.raises(RunLost, match="no longer holds its job"):
        RunContext(stale).checkpoint("a", "stale")
    assert Checkpoint.objects.get().value == "fresh"


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("", 1, ValueError),
        ("a\x00b", 1, ValueError),
        ("half \ud83d", 1, ValueError),
        ("x" * 10_001, 1, ValueError),
        ("a", object(), TypeError),
        ("a", float("nan"), ValueError),
        ("a", "x" * memory.VALUE_LENGTH, DoNotRetry),
    ],
)
@pytest.mark.parametrize("method", ["checkpoint", "keep"])
def test_what_cannot_be_remembered_is_refused_at_once(method: str, key: str, value: Any, error: type) -> None:
    with pytest.raises(error):
        getattr(RunContext(claim()), method)(key, value)


def test_a_job_may_not_remember_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "ENTRIES", 2)
    context = RunContext(start())
    context.checkpoint("a", 1)
    context.checkpoint("b", 1)
    context.checkpoint("a", 2)

    with pytest.raises(DoNotRetry, match="2 things"):
        context.checkpoint("c", 1)


# -- kept values --------------------------------------------------------------------------------------------------


def counting(ctx: Context, job_input: dict[str, Any]) -> dict[str, Any]:
    """Count how often it ran under a key, and fail when asked to."""
    key = job_input.get("key", "k" * 3000)
    ctx.keep(key, (ctx.recall(key) or 0) + 1)
    if job_input.get("fail"):
        raise DoNotRetry("as asked")
    return {"count": ctx.recall(key)}


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Any:
    kind = job_type("counter", counting)
    register(monkeypatch, kind)

    def run(**fields: Any) -> Any:
        job = submit(kind, **fields)
        answer_ring("counter", worker="worker@test")
        job.refresh_from_db()
        return job.result and job.result["count"]

    return run


def test_what_is_done_to_a_value_after_it_was_kept_changes_nothing() -> None:
    context, value = RunContext(claim()), {"seen": [1]}
    context.keep("a", value)
    value["seen"].append(object())  # type: ignore[arg-type]

    assert context.recall("a") == {"seen": [1]}


def test_the_next_job_knows_what_the_last_one_kept(counter: Any) -> None:
    assert [counter(), counter(), counter(input={"key": "other"})] == [1, 2, 1]


def test_a_job_that_failed_has_kept_nothing(counter: Any) -> None:
    assert [counter(), counter(input={"fail": True}), counter()] == [1, None, 2]


def test_every_owner_has_its_own(counter: Any) -> None:
    assert [counter(owner="ana"), counter(owner="bob"), counter(owner="ana")] == [1, 1, 2]


def test_every_type_has_its_own(counter: Any) -> None:
    counter()

    assert RunContext(claim(job_type="other", owner="bootstrap")).recall("k" * 3000) is None


def test_what_nobody_touches_for_a_year_goes(counter: Any) -> None:
    counter()
    counter(input={"key": "older"})
    KeptValue.objects.filter(key="older").update(updated_at=timezone.now() - timedelta(days=366))

    assert (memory.prune_kept(timezone.now()), memory.prune_kept(timezone.now())) == (1, 0)
    assert [kept.key for kept in KeptValue.objects.all()] == ["k" * 3000]


def test_a_stale_end_keeps_nothing() -> None:
    stale = start()
    fail(stale)

    end_many([completed(stale, {}, at=timezone.now(), kept={"a": 1})])

    assert KeptValue.objects.count() == 0


def test_a_first_run_without_checkpoints_asks_nothing(django_assert_num_queries: Any) -> None:
    context = RunContext(claim(run=1))
    with django_assert_num_queries(0):
        assert context.checkpoints() == {}
