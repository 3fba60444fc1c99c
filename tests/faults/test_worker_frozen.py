"""A worker that is frozen past its lease and wakes up, and a handler that only looks frozen."""

import signal
from collections.abc import Callable

import pytest

from tests.faults.harness import FaultStack, signal_all
from tests.stack import wait_for

pytestmark = pytest.mark.faults


def test_a_late_result_is_refused(stack: FaultStack, report: Callable[[str], None]):
    job_id = stack.begin("nap", 4)
    stack.wait_for_note(f"{job_id} 1 start")
    with stack.another_worker("second"):
        frozen = stack.signal_group("worker", signal.SIGSTOP)

        took = stack.wait_for_note(f"{job_id} 2 start", 30)
        signal_all(frozen, signal.SIGCONT)
        wait_for(lambda: f"Run {job_id}:1 came too late" in stack.log())

        ended = stack.finish(job_id)
    assert ended["state"] == "completed"
    assert ended["returnvalue"]["run"] == 2
    assert ended["worker"].startswith("second@")
    assert f"{job_id} 1 end" in stack.notes()
    assert stack.runs(job_id) == [("1", "FAILURE"), ("2", "SUCCESS")]
    assert stack.events(job_id) == ["job.started", "job.requeued", "job.started", "job.completed"]
    report(f"running elsewhere {took:.1f} s after the freeze")


def test_a_woken_worker_works_again(stack: FaultStack):
    frozen = stack.signal_group("worker", signal.SIGSTOP)
    pings = [stack.submit("ping") for _ in range(20)]

    signal_all(frozen, signal.SIGCONT)

    stack.wait_until_done(pings)
    assert stack.states(pings) == {"completed": 20}


def test_a_handler_that_holds_the_interpreters_lock_keeps_its_lease(stack: FaultStack):
    job_id = stack.begin("spin", 20)  # a lease is 15 s

    ended = stack.finish(job_id, 40)

    assert ended["state"] == "completed"
    assert ended["attemptsMade"] == 1
    assert stack.notes() == [f"{job_id} 1 start", f"{job_id} 1 end"]
    assert stack.runs(job_id) == [("1", "SUCCESS")]
