"""Two clocks, two workers and two I/O workers on one database: everything is done once."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.harness import FaultStack
from tests.faults.receiver import Receiver
from tests.stack import wait_for

pytestmark = pytest.mark.faults

JOBS = 500
CALLED_BACK = 100
LONGEST_TAKE_OVER = 20.0  # seconds


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, any_database: str, receiver: Receiver) -> Iterator[FaultStack]:
    """A stack with a second one of everything beside it, on each database in turn."""
    running = FaultStack(tmp_path, database_url=any_database, CALLBACK_ALLOWED_HOSTS=receiver.host)
    with running, running.another_worker("second"), running.another_io("second-io"), running.another_clock():
        wait_for(lambda: all(f"{name}@" in ready(running) for name in ("second", "second-io")), 30)
        wait_for(lambda: running.log().count("beat: Starting...") == 2, 30)
        yield running


def ready(stack: FaultStack) -> str:
    """Return the lines by which workers say that they are ready."""
    return "\n".join(line for line in stack.log().splitlines() if line.endswith("ready."))


def submit_of_all_sorts(stack: FaultStack, receiver: Receiver) -> tuple[list[str], list[str]]:
    """Submit jobs that succeed, fail, repeat and wait; return all of them and those that are called back for."""
    everything: list[str] = []
    called_back: list[str] = []
    for number in range(JOBS):
        more = {"callbackUrl": receiver.url} if number % (JOBS // CALLED_BACK) == 0 else {}
        match number % 10:
            case 3:
                job_id = stack.begin("nap", 0.05, **more)
            case 5:
                job_id = stack.submit("fail", input={"failures": number % 4}, **more)
            case 7:
                due = datetime.now(UTC) + timedelta(seconds=2)
                job_id = stack.submit("ping", schedule={"runAt": due.isoformat()}, **more)
            case _:
                job_id = stack.submit("ping", **more)
        everything.append(job_id)
        called_back += [job_id] if more else []
    return everything, called_back


def test_every_job_ends_once_and_is_told_of_once(
    stack: FaultStack, receiver: Receiver, report: Callable[[str], None]
) -> None:
    everything, called_back = submit_of_all_sorts(stack, receiver)

    took = stack.wait_until_done(everything, 60)
    wait_for(lambda: len(receiver.events_by_job()) == CALLED_BACK, 30)

    failing = [job_id for number, job_id in enumerate(everything) if number % 10 == 5 and number % 4 == 3]
    assert stack.states(everything) == {"completed": JOBS - len(failing), "failed": len(failing)}
    sql = "SELECT job_id FROM webhooks_event WHERE kind IN ('job.completed', 'job.failed', 'job.cancelled')"
    ends = Counter(str(job_id) for (job_id,) in stack.rows(sql))
    assert {ends[job_id] for job_id in everything} == {1}
    notes = Counter(note for note in stack.notes() if note.endswith("end"))
    assert sorted(notes.values()) == [1] * (JOBS // 10)
    runs = stack.rows("SELECT SUM(run), SUM(attempts_made) FROM jobs_job")
    assert len({int(number) for number in runs[0]}) == 1  # no run was lost
    deliveries = "SELECT job_id, state, attempts FROM webhooks_delivery"
    wait_for(lambda: {state for _, state, _ in stack.rows(deliveries)} == {"delivered"})
    assert sorted(stack.rows(deliveries)) == sorted((int(job_id), "delivered", 1) for job_id in called_back)
    assert set(receiver.seen.values()) == {1}
    workers = Counter(name for (name,) in stack.rows("SELECT worker FROM jobs_job"))
    assert len(workers) == 2
    shares = " and ".join(f"{count} by {name.partition('@')[0]}" for name, count in workers.items())
    report(f"{JOBS} jobs ({shares}) and {CALLED_BACK} callbacks, each once, in {took:.1f} s after the last submission")


def test_a_standby_leads_when_the_leader_dies(stack: FaultStack, report: Callable[[str], None]) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1)
    # The supervisor is held, so that only the standby can take over.
    stack.process.send_signal(signal.SIGSTOP)
    try:
        stack.kill_process("clock")
        killed = time.monotonic()
        job_id = stack.submit("ping", schedule={"runAt": due.isoformat()})
        stack.wait_until_done([job_id], LONGEST_TAKE_OVER)
        took = time.monotonic() - killed
    finally:
        stack.process.send_signal(signal.SIGCONT)

    assert stack.finish(job_id)["state"] == "completed"
    report(f"a job due 1 s later was done {took:.1f} s after the leader's death")
