"""A worker that is killed in the middle of its work."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.harness import Client, FaultStack, signal_all
from tests.stack import wait_for

pytestmark = pytest.mark.faults

KILLS = 40
PINGS = 2_000


def assert_ran_twice_and_ended_once(stack: FaultStack, job_id: str) -> None:
    ended = stack.finish(job_id)
    assert ended["state"] == "completed"
    assert ended["attemptsMade"] == 2
    assert ended["returnvalue"]["run"] == 2
    assert stack.notes() == [f"{job_id} 1 start", f"{job_id} 2 start", f"{job_id} 2 end"]
    assert stack.runs(job_id) == [("1", "FAILURE"), ("2", "SUCCESS")]
    assert stack.events(job_id) == ["job.started", "job.requeued", "job.started", "job.completed"]


def test_a_killed_group_of_parent_and_children(any_stack: FaultStack, report: Callable[[str], None]):
    job_id = any_stack.begin("nap", 3)
    any_stack.wait_for_note(f"{job_id} 1 start")

    any_stack.signal_group("worker", signal.SIGKILL)

    took = any_stack.wait_for_note(f"{job_id} 2 start", 20)
    assert_ran_twice_and_ended_once(any_stack, job_id)
    report(f"running again {took:.1f} s after the kill")


def test_a_killed_child(any_stack: FaultStack, report: Callable[[str], None]):
    parent = any_stack.pid_of("worker")
    job_id = any_stack.begin("nap", 3)
    any_stack.wait_for_note(f"{job_id} 1 start")

    any_stack.child_of(job_id).kill()

    took = any_stack.wait_for_note(f"{job_id} 2 start", 20)
    assert_ran_twice_and_ended_once(any_stack, job_id)
    assert any_stack.pid_of("worker") == parent
    report(f"running again {took:.1f} s after the kill")


def test_a_killed_worker_that_another_one_stands_in_for(stack: FaultStack, report: Callable[[str], None]):
    job_id = stack.begin("nap", 3)
    stack.wait_for_note(f"{job_id} 1 start")
    with stack.another_worker("second"):
        wait_for(lambda: "second@" in stack.log() and "ready" in stack.log().rpartition("second@")[2])

        # The supervisor is held, so that the worker's own successor cannot notice whose job it was.
        stack.process.send_signal(signal.SIGSTOP)
        try:
            stack.signal_group("worker", signal.SIGKILL)
            took = stack.wait_for_note(f"{job_id} 2 start", 20)
        finally:
            stack.process.send_signal(signal.SIGCONT)

        assert_ran_twice_and_ended_once(stack, job_id)
        assert stack.job(job_id)["worker"].startswith("second@")
    report(f"running elsewhere {took:.1f} s after the kill")


def test_a_job_that_kills_its_process_fails_and_others_go_on(stack: FaultStack):
    parent = stack.pid_of("worker")
    nap = stack.begin("nap", 2)
    burn = stack.begin("burn")
    pings = [stack.submit("ping") for _ in range(100)]

    failed = stack.finish(burn)
    stack.wait_until_done([nap, *pings])

    assert failed["state"] == "failed"
    assert failed["failedReason"].startswith("worker lost")
    assert failed["attemptsMade"] == 2
    assert stack.states([nap, *pings]) == {"completed": 101}
    assert [note for note in stack.notes() if note.startswith(f"{burn} ")] == [f"{burn} 1 start", f"{burn} 2 start"]
    assert stack.runs(burn) == [("1", "FAILURE"), ("2", "FAILURE")]
    assert stack.events(burn)[-1] == "job.failed"
    assert stack.pid_of("worker") == parent


@pytest.fixture
def patient_stack(tmp_path: Path) -> Iterator[FaultStack]:
    """A stack whose supervisor does not wait longer with every end of a process."""
    with FaultStack(tmp_path, FAULTS_RESTART_AT_ONCE="1") as running:
        yield running


@pytest.mark.timeout(180)
def test_forty_kills_lose_nothing(patient_stack: FaultStack, report: Callable[[str], None]):
    stack = patient_stack
    submitted: list[str] = []
    caught = 0
    slowest = 0.0

    for _ in range(KILLS):
        with Client(stack, pause=0.0, most=PINGS // KILLS) as client:
            caught += kill_at_work(stack, patience=random.uniform(0.05, 0.5))
            client.wait_for_total(PINGS // KILLS)
        assert client.refused == []
        submitted += client.accepted
        # The design allows a job three lost runs; so none is hit by two kills in a row.
        slowest = max(slowest, stack.wait_until_done(submitted, 30))

    assert len(submitted) == PINGS
    assert stack.states(submitted) == {"completed": PINGS}
    ends = dict(stack.rows("SELECT job_id, COUNT(*) FROM webhooks_event WHERE kind = 'job.completed' GROUP BY job_id"))
    assert {ends[int(job_id)] for job_id in submitted} == {1}
    again = count(stack, "SELECT COUNT(*) FROM jobs_job WHERE run > 1")
    report(
        f"{KILLS} kills, {caught} of them with jobs in hand; {PINGS} pings, 0 lost, {again} ran again;"
        f" slowest recovery {slowest:.1f} s"
    )


def kill_at_work(stack: FaultStack, patience: float) -> bool:
    """Kill the worker's group as soon as it holds a job; at the latest after so many seconds."""
    old = stack.pid_of("worker")
    end = time.monotonic() + patience
    active = "SELECT COUNT(*) FROM jobs_job WHERE state = 'active'"
    while not (caught := count(stack, active) > 0) and time.monotonic() < end:
        time.sleep(0.001)
    group = [psutil.Process(old), *psutil.Process(old).children()]
    signal_all(group, signal.SIGKILL)
    stack.wait_until_replaced("worker", old)
    return caught


def count(stack: FaultStack, sql: str) -> int:
    ((number,),) = stack.rows(sql)
    return int(number)
