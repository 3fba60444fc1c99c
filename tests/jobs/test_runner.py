"""What a worker's child does when it hears a ring."""

import threading
from typing import Any

import msgspec
import pytest
from django_celery_results.models import TaskResult

from jobs import runner
from jobs.claims import CHAIN_LENGTH
from jobs.contract import JobType
from jobs.errors import DoNotRetry, JobCancelled, JobFailed, RetryAfter, TimeLimitExceeded
from jobs.models import Artifact, Job
from jobs.runner import answer_ring
from pirunner.doorbell import Ring
from tests.jobs.making import PING, WORKER, job_type, register, waiting
from webhooks.models import Event

pytestmark = pytest.mark.usefixtures("committed_db")


class Amount(msgspec.Struct):
    amount: int


def ring(name: str = "slow") -> list[str]:
    return answer_ring(name, worker=WORKER)


def run_once(monkeypatch: pytest.MonkeyPatch, kind: JobType, **fields: Any) -> Job:
    """Let one job of a type be run; return its row."""
    register(monkeypatch, kind)
    job = waiting(kind, **fields)
    assert ring(kind.name) == [f"{job.pk}:1"]
    job.refresh_from_db()
    return job


# -- what is run --------------------------------------------------------------------------------------------------


def test_a_heavy_job_runs_and_its_result_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = job_type(run=lambda ctx, value: {"summary": "Done.", "input": value, "attempt": ctx.attempt})

    job = run_once(monkeypatch, kind, input={"n": 1})

    assert (job.state, job.summary) == ("completed", "Done.")
    assert job.result == {"summary": "Done.", "input": {"n": 1}, "attempt": 1}
    assert job.worker == WORKER
    assert TaskResult.objects.get().status == "SUCCESS"


def test_one_ring_runs_one_heavy_job(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, job_type())
    first, _ = waiting(), waiting()

    assert ring() == [f"{first.pk}:1"]

    assert Job.objects.waiting().count() == 1


def test_one_ring_runs_all_light_jobs() -> None:
    jobs = [waiting(PING, input={"n": number}) for number in range(3)]

    assert ring("ping") == [f"{job.pk}:1" for job in jobs]

    assert [job.result["input"] for job in Job.objects.order_by("pk")] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_light_jobs_beyond_one_chain_are_passed_on_and_run_on(rings: list[Ring]) -> None:
    for _ in range(CHAIN_LENGTH + 2):
        waiting(PING)

    assert len(ring("ping")) == CHAIN_LENGTH + 2

    assert rings == [Ring("jobs.ping", 0, "jobs", shared=True)]


def test_a_ring_that_comes_too_late_does_nothing() -> None:
    assert ring("ping") == []
    assert not TaskResult.objects.exists()


@pytest.mark.parametrize("name", ["unknown", "ping"])
def test_a_type_that_may_not_run_here_is_left_alone(owner: Any, name: str) -> None:
    owner.RUNNER_JOBS = ("reminder",)
    job = waiting(PING)

    assert ring(name) == []

    job.refresh_from_db()
    assert job.state == "waiting"


def test_when_time_is_up_the_rest_of_a_chain_is_given_back(monkeypatch: pytest.MonkeyPatch, rings: list[Ring]) -> None:
    monkeypatch.setattr(runner, "CHAIN_SECONDS", -1)
    jobs = [waiting(PING), waiting(PING)]

    ring("ping")

    for job in jobs:
        job.refresh_from_db()
    assert {(job.state, job.attempts_made, job.run) for job in jobs} == {("waiting", 0, 1)}
    assert rings[0] == Ring("jobs.ping", 0, "jobs", shared=True)


def test_what_was_held_up_by_a_key_is_rung_for(monkeypatch: pytest.MonkeyPatch, rings: list[Ring]) -> None:
    register(monkeypatch, job_type())
    waiting(concurrency_key="briefs")
    following = waiting(concurrency_key="briefs")

    ring()

    assert rings == [Ring("jobs.slow", following.pk, "jobs")]


# -- how it ends --------------------------------------------------------------------------------------------------


def raising(error: BaseException) -> JobType:
    def run(_ctx: Any, _input: Any) -> dict[str, Any]:
        raise error

    return job_type(run=run)


@pytest.mark.parametrize(
    ("error", "state", "text"),
    [
        (JobFailed("no price"), "delayed", "no price"),
        (ValueError("odd"), "delayed", "odd"),
        (DoNotRetry("never"), "failed", "never"),
        (RetryAfter(90, "later"), "delayed", "later"),
        (RetryAfter(float("inf"), "later"), "delayed", "later"),
        (RecursionError("deep"), "delayed", "deep"),
        (MemoryError(), "delayed", "MemoryError"),
        (SystemExit(3), "delayed", "3"),
        (JobFailed("a\x00b\ud800"), "delayed", "a�b?"),
        (JobCancelled(), "cancelled", "cancelled by its own handler"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_handler_that_raises(monkeypatch: pytest.MonkeyPatch, error: BaseException, state: str, text: str) -> None:
    job = run_once(monkeypatch, raising(error))

    assert (job.state, job.error) == (state, text)


def test_the_traceback_is_kept_for_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    run_once(monkeypatch, raising(JobFailed("no price")))

    assert "JobFailed: no price" in (TaskResult.objects.get().traceback or "")


def test_a_signal_that_ends_the_child_is_no_failure_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, raising(SystemExit(-15)))
    job = waiting()

    with pytest.raises(SystemExit):
        ring()

    job.refresh_from_db()
    assert job.state == "active"


@pytest.mark.parametrize(
    "result",
    [{"value": object()}, {"value": float("nan")}, {"value": 10**400}, {(1, 2): 3}, None, [], "text"],
    ids=["object", "nan", "huge", "key", "none", "list", "text"],
)
def test_a_result_that_is_no_json_object_fails_the_attempt(monkeypatch: pytest.MonkeyPatch, result: Any) -> None:
    job = run_once(monkeypatch, job_type(run=lambda _ctx, _input: result))

    assert (job.state, job.attempts_made) == ("delayed", 1)
    assert job.error_class in {"TypeError", "ValueError"}


def test_a_deeply_nested_result_fails_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_ctx: Any, _input: Any) -> dict[str, Any]:
        nested: dict[str, Any] = {}
        for _ in range(50_000):
            nested = {"deeper": nested}
        return nested

    assert run_once(monkeypatch, job_type(run=run)).state == "delayed"


def test_a_result_with_any_text_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    value: Any = {"summary": "a\x00b", "text": "\x00\ud800⏰", 1: 2}

    job = run_once(monkeypatch, job_type(run=lambda _ctx, _input: value))

    assert (job.state, job.summary) == ("completed", "a�b")
    assert job.result == {"summary": "a\x00b", "text": "\x00\ud800⏰", "1": 2}


def test_one_failure_in_a_chain_fails_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_ctx: Any, value: Any) -> dict[str, Any]:
        return {"inverse": 1 / value["n"]}

    register(monkeypatch, job_type("light", run=run, light=True))
    for number in (1, 0, 2):
        waiting(job_type("light"), input={"n": number})

    ring("light")

    assert list(Job.objects.order_by("pk").values_list("state", flat=True)) == ["completed", "delayed", "completed"]


def test_an_input_that_no_longer_fits_is_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = JobType(name="slow", description="", input_model=Amount, run=lambda _ctx, _input: {})

    job = run_once(monkeypatch, kind, input={"amount": "much"})

    assert (job.state, job.error_class) == ("failed", "DoNotRetry")
    assert "no longer fits" in job.error


def test_files_belong_to_the_job_only_if_the_attempt_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(ctx: Any, value: Any) -> dict[str, Any]:
        ctx.artifact("brief.md", "# Brief")
        return {"inverse": 1 / value["n"]}

    kind = job_type(run=run)
    good = run_once(monkeypatch, kind, input={"n": 1})
    bad = run_once(monkeypatch, kind, input={"n": 0})

    assert good.artifacts.count() == 1
    assert bad.artifacts.count() == 0


def test_a_media_type_that_is_none_fails_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(ctx: Any, _input: Any) -> dict[str, Any]:
        ctx.artifact("a", "1", "text/plain\r\nX-Evil: 1")
        return {}

    assert run_once(monkeypatch, job_type(run=run)).state == "delayed"
    assert not Artifact.objects.exists()


def test_a_cancel_that_the_handler_saw_wins_over_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(ctx: Any, _input: Any) -> dict[str, Any]:
        Job.objects.update(cancel_requested_at="2026-03-01T12:00:00Z", cancel_requested_by="ana")
        ctx._looked_at = float("-inf")
        assert ctx.cancelled()
        return {"half": True}

    job = run_once(monkeypatch, job_type(run=run))

    assert (job.state, job.error, job.result) == ("cancelled", "cancelled by ana", None)


def test_a_handler_that_takes_too_long_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_ctx: Any, _input: Any) -> dict[str, Any]:
        threading.Event().wait(30)
        return {}

    job = run_once(monkeypatch, job_type(run=run, time_limit=0.05))

    assert (job.state, job.error_class) == ("delayed", TimeLimitExceeded.__name__)


def test_what_was_said_is_written_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(ctx: Any, _input: Any) -> dict[str, Any]:
        ctx.log("reading")
        ctx.progress(50, "half")
        return {}

    job = run_once(monkeypatch, job_type(run=run))

    assert [line.message for line in job.log_lines.all()] == ["reading"]
    assert list(Event.objects.order_by("seq").values_list("kind", flat=True)) == [
        "job.started",
        "job.progress",
        "job.completed",
    ]


def test_a_result_that_comes_too_late_is_dropped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def run(_ctx: Any, _input: Any) -> dict[str, Any]:
        Job.objects.update(state="waiting", token=None)  # the lease ran out meanwhile
        return {"late": True}

    job = run_once(monkeypatch, job_type(run=run))

    assert (job.state, job.result) == ("waiting", None)
    assert f"Run {job.pk}:1 came too late" in caplog.text
