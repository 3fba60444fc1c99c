"""The turns a running job's life can take, each with a real worker and real signals."""

import time
from collections.abc import Iterator

import psutil
import pytest

from tests.faults.harness import FaultStack
from tests.stack import wait_for

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultStack]:
    """One stack for all turns: a worker must survive each of them."""
    with FaultStack(tmp_path_factory.mktemp("life")) as stack:
        yield stack


def running(stack: FaultStack, job_type: str, **job_input: float) -> str:
    """Submit a job and wait until it runs."""
    job_id = stack.submit(job_type, input=job_input)
    wait_for(lambda: stack.job(job_id)["state"] == "active")
    return job_id


def test_a_job_that_looks_is_cancelled_within_two_seconds(stack: FaultStack) -> None:
    job_id = running(stack, "doze", seconds=60)
    began = time.monotonic()
    assert stack.request("POST", f"/jobs/{job_id}/cancel").status == 202
    job = stack.finish(job_id)
    assert (job["state"], job["failedReason"]) == ("cancelled", "cancelled by bootstrap")
    assert time.monotonic() - began < 10
    assert stack.events(job_id) == ["job.started", "job.cancelled"]


def test_a_job_that_does_not_look_is_ended_with_its_process(stack: FaultStack) -> None:
    job_id = running(stack, "deaf", seconds=60)
    child = stack.child_of(job_id)
    began = time.monotonic()
    stack.request("POST", f"/jobs/{job_id}/cancel")
    job = stack.finish(job_id)
    assert job["state"] == "cancelled"
    assert time.monotonic() - began < 10
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert job["attemptsMade"] == 0


def test_a_waiting_job_is_cancelled_at_once_and_called_back_for(stack: FaultStack) -> None:
    job_id = stack.submit("ping", schedule={"runAt": "2100-01-01T00:00:00Z"})
    answer = stack.request("POST", f"/jobs/{job_id}/cancel")
    assert (answer.status, answer.json()["state"]) == (200, "cancelled")
    assert stack.events(job_id) == ["job.cancelled"]
    assert stack.request("POST", f"/jobs/{job_id}/cancel").status == 200


def test_a_completed_job_cannot_be_cancelled(stack: FaultStack) -> None:
    job_id = stack.submit("ping")
    stack.finish(job_id)
    answer = stack.request("POST", f"/jobs/{job_id}/cancel")
    assert (answer.status, answer.json()["error"]) == (409, "job_ended")


def test_retry_runs_an_ended_job_again_and_keeps_its_history(stack: FaultStack) -> None:
    job_id = stack.submit("fail", input={"failures": 9, "way": "final"})
    assert stack.finish(job_id)["state"] == "failed"
    assert stack.request("POST", f"/jobs/{job_id}/retry").status == 202
    wait_for(lambda: len(stack.runs(job_id)) == 2 and stack.job(job_id)["state"] == "failed")
    assert stack.runs(job_id) == [("1", "FAILURE"), ("2", "FAILURE")]
    assert stack.job(job_id)["attemptsMade"] == 1


def test_a_failing_job_is_retried_until_it_succeeds(stack: FaultStack) -> None:
    job = stack.finish(stack.submit("fail", input={"failures": 2}))
    assert (job["state"], job["summary"], job["attemptsMade"]) == ("completed", "succeeded at attempt 3", 3)


def test_a_handler_can_say_when_it_makes_sense_to_try_again(stack: FaultStack) -> None:
    job_id = stack.submit("fail", input={"failures": 1, "way": "later"})
    wait_for(lambda: stack.job(job_id)["state"] == "delayed")
    assert stack.job(job_id)["failedReason"] == "come back in a second"
    assert stack.finish(job_id)["state"] == "completed"


def test_do_not_retry_ends_the_job_at_its_first_attempt(stack: FaultStack) -> None:
    job = stack.finish(stack.submit("fail", input={"failures": 1, "way": "final"}))
    assert (job["state"], job["attemptsMade"], job["failedReason"]) == ("failed", 1, "it would fail again")


def test_a_handler_meets_its_time_limit(stack: FaultStack) -> None:
    job = stack.finish(stack.submit("short", input={"seconds": 30}))
    assert (job["state"], job["failedReason"]) == ("failed", "time limit of 1 s exceeded")


def test_a_handler_that_ignores_its_time_limit_is_ended(stack: FaultStack) -> None:
    job = stack.finish(stack.submit("stubborn", input={"seconds": 120}))
    assert (job["state"], job["failedReason"]) == ("failed", "time limit exceeded, and the handler did not stop")


def test_a_handler_that_takes_too_much_memory_is_ended(stack: FaultStack) -> None:
    job = stack.finish(stack.submit("hog", input={"mebibytes": 400}))
    assert (job["state"], job["failedReason"]) == ("failed", "memory limit of 200 MiB exceeded")


def test_a_handler_that_exits_fails_and_its_worker_goes_on(stack: FaultStack) -> None:
    job = stack.finish(stack.submit("leave"))
    assert (job["state"], job["failedReason"]) == ("failed", "3")
    assert stack.finish(stack.submit("ping"))["state"] == "completed"


def test_a_key_runs_one_job_at_a_time_and_the_next_follows_at_once(stack: FaultStack) -> None:
    first = stack.submit("doze", input={"seconds": 1}, concurrencyKey="k1")
    second = stack.submit("doze", input={"seconds": 0}, concurrencyKey="k1")
    one, two = stack.finish(first), stack.finish(second)
    assert two["processedOn"] >= one["finishedOn"]
    assert two["processedOn"] - one["finishedOn"] < 5000


def test_a_key_can_refuse_another_job(stack: FaultStack) -> None:
    first = stack.submit("doze", input={"seconds": 60}, concurrencyKey="k2")
    answer = stack.request("POST", "/jobs", {"jobType": "ping", "concurrencyKey": "k2", "onConflict": "reject"})
    assert (answer.status, answer.json()["error"]) == (409, "concurrency_conflict")
    stack.request("POST", f"/jobs/{first}/cancel")
    stack.finish(first)


def test_a_key_can_replace_the_other_job(stack: FaultStack) -> None:
    first = stack.submit("doze", input={"seconds": 60}, concurrencyKey="k3")
    wait_for(lambda: stack.job(first)["state"] == "active")
    second = stack.submit("ping", concurrencyKey="k3", onConflict="replace")
    assert stack.finish(first)["state"] == "cancelled"
    assert stack.finish(second)["state"] == "completed"
    assert stack.job(second)["processedOn"] >= stack.job(first)["finishedOn"]


def test_two_long_jobs_leave_room_for_a_ping(stack: FaultStack) -> None:
    marathons = [stack.submit("marathon", input={"seconds": 60}) for _ in range(2)]
    wait_for(lambda: "active" in [stack.job(job_id)["state"] for job_id in marathons])
    assert stack.finish(stack.submit("ping"), 10)["state"] == "completed"
    assert sorted(stack.job(job_id)["state"] for job_id in marathons) == ["active", "waiting"]
    for job_id in marathons:
        stack.request("POST", f"/jobs/{job_id}/cancel")
        stack.finish(job_id)


def test_what_a_job_says_is_all_written(stack: FaultStack) -> None:
    job_id = stack.submit("talk", input={"failures": 300})
    stack.finish(job_id)
    lines = stack.rows("SELECT message FROM jobs_logline WHERE job_id = %s ORDER BY id", int(job_id))
    assert [line for (line,) in lines] == [f"line {number}" for number in range(300)]


def test_a_planned_stop_gives_the_attempt_back(stack: FaultStack) -> None:
    job_id = running(stack, "deaf", seconds=40)
    worker = stack.pid_of("worker")
    began = time.monotonic()
    stack.kill_process("worker", 15)
    stack.wait_until_replaced("worker", worker, 40)
    wait_for(lambda: stack.job(job_id)["state"] == "active" and stack.runs(job_id)[-1][0] == "2", 40)
    print(f"stopped and running elsewhere after {time.monotonic() - began:.1f} s")
    assert stack.job(job_id)["attemptsMade"] == 0
    assert stack.runs(job_id)[0] == ("1", "REVOKED")
    stack.request("POST", f"/jobs/{job_id}/cancel")
    stack.finish(job_id)
