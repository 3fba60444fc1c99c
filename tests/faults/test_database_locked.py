"""Another program holds SQLite's write lock for half a minute, longer than anybody here waits for it."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.harness import FaultStack, signal_all
from tests.stack import Answer, wait_for

pytestmark = pytest.mark.faults

LOCKED = 30.0  # seconds
LONGEST_ANSWER = 25.0  # seconds; a transaction waits 20 for the lock
RESTARTED = ("clock shows no sign of life", "starting it again")

# In a process of its own: a program that merely opens and closes the file would free the locks of this one.
HOLD_THE_LOCK = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
other.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
other.execute("ROLLBACK")
"""


@contextmanager
def locked(stack: FaultStack) -> Iterator[None]:
    """Hold the write lock of a stack's database."""
    path = Path(stack.environment["RUNNER_DATA_DIR"]) / "pirunner.sqlite3"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin
    assert holder.stdout
    try:
        assert holder.stdout.readline() == b"locked\n"
        yield
    finally:
        holder.stdin.close()
        holder.wait(10)
        holder.stdout.close()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[FaultStack]:
    with FaultStack(tmp_path, WORKER_CONCURRENCY="4") as running:
        yield running


class Submissions:
    """Clients that submit one job each, at moments of their own, and keep what they were told and when."""

    def __init__(self, stack: FaultStack) -> None:
        self._stack = stack
        self._threads: list[threading.Thread] = []
        self.answers: dict[str, tuple[Answer, float]] = {}

    def send(self) -> None:
        """Submit from a thread of its own."""
        key = uuid4().hex
        self._threads.append(threading.Thread(target=self._submit, args=(key,), daemon=True))
        self._threads[-1].start()

    def join(self) -> None:
        """Wait until everybody was answered."""
        for thread in self._threads:
            thread.join(60)
        assert len(self.answers) == len(self._threads)

    def _submit(self, key: str) -> None:
        began = time.monotonic()
        answer = self._stack.request("POST", "/jobs", {"jobType": "ping", "idempotencyKey": key})
        self.answers[key] = (answer, time.monotonic() - began)


def test_at_accept(stack: FaultStack, report: Callable[[str], None]) -> None:
    clients = Submissions(stack)
    with locked(stack):
        began = time.monotonic()
        for second in range(int(LOCKED)):
            wait_for(lambda at=began + second: time.monotonic() >= at)  # type: ignore[misc]
            clients.send()
        wait_for(lambda: time.monotonic() >= began + LOCKED)
    clients.join()

    accepted = [str(answer.json()["jobId"]) for answer, _ in clients.answers.values() if answer.status == 202]
    refused = [answer for answer, _ in clients.answers.values() if answer.status != 202]
    slowest = max(took for _, took in clients.answers.values())
    assert {answer.status for answer in refused} == {503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert slowest < LONGEST_ANSWER
    # Everybody sends it again, with the key; whoever was told 202 has the job already.
    again = {key: stack.request("POST", "/jobs", {"jobType": "ping", "idempotencyKey": key}) for key in clients.answers}
    told = {key: answer.status for key, (answer, _) in clients.answers.items()}
    assert {key: answer.status for key, answer in again.items()} == {
        key: 200 if status == 202 else 202 for key, status in told.items()
    }
    jobs = [str(answer.json()["jobId"]) for answer in again.values()]
    stack.wait_until_done(jobs)
    assert stack.states(jobs) == {"completed": len(clients.answers)}
    assert set(accepted) <= set(jobs)
    assert_nobody_was_restarted(stack)
    report(f"{len(accepted)} accepted after the lock, {len(refused)} told 503; the slowest answer took {slowest:.1f} s")


@pytest.mark.parametrize("seconds", [17.0, LOCKED])
def test_at_claim_renewal_and_end(stack: FaultStack, seconds: float, report: Callable[[str], None]) -> None:
    longer = stack.begin("nap", seconds + 5)  # than the lock, and so than the lease of 15 s
    shorter = stack.begin("nap", 4)
    for job_id in (longer, shorter):
        stack.wait_for_note(f"{job_id} 1 start")
    frozen = stack.signal_group("worker", signal.SIGSTOP)
    due = datetime.now(UTC) + timedelta(seconds=2)
    waiting = [stack.begin("nap") for _ in range(3)] + [stack.submit("ping") for _ in range(20)]
    delayed = [stack.submit("ping", schedule={"runAt": due.isoformat()})]
    everything = [longer, shorter, *waiting, *delayed]

    with locked(stack):
        began = time.monotonic()
        signal_all(frozen, signal.SIGCONT)
        stack.wait_for_note(f"{shorter} 1 end")
        wait_for(lambda: time.monotonic() >= began + seconds, seconds + 5)
        assert stack.states(everything) == {"active": 2, "waiting": 23, "delayed": 1}
    took = stack.wait_until_done(everything, 30)

    assert stack.states(everything) == {"completed": len(everything)}
    for job_id in [longer, shorter, *waiting[:3]]:
        assert stack.runs(job_id) == [("1", "SUCCESS")]
        assert stack.events(job_id) == ["job.started", "job.completed"]
        assert stack.job(job_id)["returnvalue"] == {"summary": "slept", "run": 1}
        assert [note for note in stack.notes() if note.startswith(f"{job_id} ")] == [
            f"{job_id} 1 start",
            f"{job_id} 1 end",
        ]
    assert_nobody_was_restarted(stack)
    report(f"all done {took:.1f} s after the lock, 5 s of them the long nap; nothing ran twice")


def assert_nobody_was_restarted(stack: FaultStack) -> None:
    assert not [line for line in stack.log().splitlines() if any(words in line for words in RESTARTED)]
