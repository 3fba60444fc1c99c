"""Another program holds SQLite's write lock for half a minute, longer than anybody here waits for it."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.harness import FaultStack, signal_all
from tests.faults.locks import locked
from tests.stack import Answer, wait_for

pytestmark = pytest.mark.faults

PATIENCE = 20.0  # seconds that a submission waits for the lock
LONGEST_ANSWER = 25.0  # seconds
RESTARTED = ("clock shows no sign of life", "starting it again")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[FaultStack]:
    with FaultStack(tmp_path, WORKER_CONCURRENCY="4") as running:
        yield running


class Submissions:
    """Clients that submit one ping each, at moments of their own, and keep what they were told and when."""

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

    @property
    def slowest(self) -> float:
        """Return how many seconds the slowest answer took."""
        return max(took for _, took in self.answers.values())

    def accepted(self) -> dict[str, str]:
        """Return the jobs that were accepted, by key."""
        told = {key: answer for key, (answer, _) in self.answers.items()}
        return {key: str(answer.json()["jobId"]) for key, answer in told.items() if answer.status == 202}

    def refused(self) -> list[Answer]:
        """Return the answers to the others."""
        return [answer for answer, _ in self.answers.values() if answer.status != 202]

    def repeat(self) -> dict[str, str]:
        """Send each once more, with its key, and return all jobs by key; who was accepted before hears of it."""
        before = self.accepted()
        jobs: dict[str, str] = {}
        for key in self.answers:
            answer = self._post(key)
            assert answer.status == (200 if key in before else 202)
            jobs[key] = str(answer.json()["jobId"])
        return jobs

    def _submit(self, key: str) -> None:
        began = time.monotonic()
        self.answers[key] = (self._post(key), time.monotonic() - began)

    def _post(self, key: str) -> Answer:
        return self._stack.request("POST", "/jobs", {"jobType": "ping", "idempotencyKey": key})


@pytest.mark.parametrize("seconds", [17.0, 30.0])  # longer than a lease; longer than anybody waits for the lock
def test_at_accept_claim_renewal_and_end(stack: FaultStack, seconds: float, report: Callable[[str], None]) -> None:
    longer = stack.begin("nap", seconds + 5)
    shorter = stack.begin("catnap", 4)  # has 6 s, and 10 until its process would be ended
    for job_id in (longer, shorter):
        stack.wait_for_note(f"{job_id} 1 start")
    frozen = stack.signal_group("worker", signal.SIGSTOP)
    due = datetime.now(UTC) + timedelta(seconds=2)
    naps = [stack.begin("nap") for _ in range(3)]
    waiting = [*naps, *(stack.submit("ping") for _ in range(20))]
    everything = [longer, shorter, *waiting, stack.submit("ping", schedule={"runAt": due.isoformat()})]
    clients = Submissions(stack)

    with locked(stack):
        began = time.monotonic()
        signal_all(frozen, signal.SIGCONT)
        for second in range(int(seconds)):
            wait_for(lambda: time.monotonic() >= began + second)  # noqa: B023
            clients.send()
        wait_for(lambda: time.monotonic() >= began + seconds)
        assert f"{shorter} 1 end" in stack.notes()
        assert stack.states(everything) == {"active": 2, "waiting": 23, "delayed": 1}
    clients.join()
    took = stack.wait_until_done(everything, 30)

    assert stack.states(everything) == {"completed": len(everything)}
    for job_id in [longer, shorter, *naps]:
        assert_ran_once(stack, job_id)
    accepted, refused = clients.accepted(), clients.refused()
    assert clients.slowest < LONGEST_ANSWER
    assert {answer.status for answer in refused} <= {503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert bool(refused) == (seconds > PATIENCE)
    pings = clients.repeat()
    stack.wait_until_done(list(pings.values()))
    assert len(set(pings.values())) == len(clients.answers)
    assert pings.items() >= accepted.items()
    assert_nobody_was_restarted(stack)
    report(
        f"{len(accepted)} accepted when the lock was free again, {len(refused)} told 503, the slowest answer after"
        f" {clients.slowest:.1f} s; all done {took:.1f} s after the lock, 5 s of them the long nap; nothing ran twice"
    )


def assert_ran_once(stack: FaultStack, job_id: str) -> None:
    assert stack.runs(job_id) == [("1", "SUCCESS")]
    assert stack.events(job_id) == ["job.started", "job.completed"]
    assert stack.job(job_id)["returnvalue"] == {"summary": "slept", "run": 1}
    notes = [note for note in stack.notes() if note.startswith(f"{job_id} ")]
    assert notes == [f"{job_id} 1 start", f"{job_id} 1 end"]


def assert_nobody_was_restarted(stack: FaultStack) -> None:
    assert not [line for line in stack.log().splitlines() if any(words in line for words in RESTARTED)]
