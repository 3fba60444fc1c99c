"""A clock that dies or stands still while a job is due."""

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.harness import FaultStack

pytestmark = pytest.mark.faults


def submit_for_later(stack: FaultStack, seconds: float) -> str:
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    return stack.submit("ping", schedule={"runAt": due.isoformat()})


def test_a_killed_clock_fires_after_its_restart(stack: FaultStack, report: Callable[[str], None]):
    old = stack.pid_of("clock")
    job_id = submit_for_later(stack, 2)

    stack.kill_process("clock")

    assert stack.wait_until_replaced("clock", old) != old
    ended = stack.finish(job_id, 10)
    assert ended["state"] == "completed"
    assert ended["attemptsMade"] == 1
    report(f"done {(ended['finishedOn'] - due_of(ended)) / 1000:.1f} s after it was due")


def test_a_frozen_clock_is_replaced_and_the_job_runs(stack: FaultStack, report: Callable[[str], None]):
    old = stack.kill_process("clock", signal.SIGSTOP)
    frozen = time.monotonic()
    job_id = submit_for_later(stack, 2)

    stack.wait_until_replaced("clock", old, 30)

    replaced = time.monotonic() - frozen
    ended = stack.finish(job_id, 10)
    assert ended["state"] == "completed"
    assert "clock shows no sign of life; ending it" in stack.log()
    report(f"replaced after {replaced:.1f} s, the job done {(ended['finishedOn'] - due_of(ended)) / 1000:.1f} s late")


def due_of(job: dict[str, str]) -> float:
    """Return when a job was due, in milliseconds since 1970."""
    return datetime.fromisoformat(job["dueAt"]).timestamp() * 1000
