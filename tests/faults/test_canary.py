"""A worker that lives and shows it, but hears no ring any more."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import FaultStack
from tests.stack import ROOT, wait_for

pytestmark = pytest.mark.faults

LONGEST_REPAIR = 60.0  # seconds


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[FaultStack]:
    with FaultStack(tmp_path, FAULTS_CANARY_SECONDS="5") as running:
        yield running


def deafen(stack: FaultStack) -> None:
    """Have the worker no longer listen to the queue of jobs, by Celery's own remote control."""
    told = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "pirunner", "control", "-t", "5", "cancel_consumer", "jobs"],
        cwd=ROOT,
        env={**stack.environment, "BROKER_URL": f"redis+socket://{stack.broker_socket}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "no longer consuming from jobs" in told.stdout, told


def test_a_deaf_worker_is_noticed_and_started_anew(stack: FaultStack, report: Callable[[str], None]) -> None:
    assert stack.get("/health")["canary"]["state"] == "ok"
    old = stack.pid_of("worker")
    deafen(stack)
    deaf = time.monotonic()
    waiting = [stack.submit("ping") for _ in range(5)] + [stack.begin("nap")]

    wait_for(lambda: stack.request("GET", "/health").json()["canary"]["state"] == "silent", LONGEST_REPAIR, 0.2)
    health = stack.request("GET", "/health")
    noticed = time.monotonic() - deaf
    stack.wait_until_replaced("worker", old, LONGEST_REPAIR)
    replaced = time.monotonic() - deaf
    stack.wait_until_done(waiting, LONGEST_REPAIR)

    assert (health.status, health.json()["ok"], health.json()["workers"]["state"]) == (503, False, "ok")
    assert stack.states(waiting) == {"completed": len(waiting)}
    assert "No worker has answered the canary" in stack.log()
    assert "worker shows no sign of life; ending it" in stack.log()
    new = stack.pid_of("worker")
    wait_for(lambda: stack.request("GET", "/health").json()["canary"]["state"] == "ok", LONGEST_REPAIR, 0.2)
    assert stack.pid_of("worker") == new
    assert stack.get("/queues/stats")["completed"] == len(waiting) + 1  # the canary is in no count
    report(
        f"with questions every 5 s (60 s outside tests): silent after {noticed:.1f} s, started anew after"
        f" {replaced:.1f} s, all done after {time.monotonic() - deaf:.1f} s"
    )
