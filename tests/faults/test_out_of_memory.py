"""A child that the kernel ends because the memory is used up."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.harness import FaultStack
from tests.stack import wait_for

pytestmark = pytest.mark.faults

LIMIT = 64  # MiB that the group may take beyond what its processes brought along
GROUPS = Path("/sys/fs/cgroup")


class MemoryGroup:
    """A control group whose processes the kernel's out-of-memory killer ends when they take too much."""

    def __init__(self) -> None:
        old = GROUPS / "memory"
        self._folder = (old if old.is_dir() else GROUPS) / f"pirunner-test-{uuid4().hex}"
        self._limit = "memory.limit_in_bytes" if old.is_dir() else "memory.max"
        self._kills = "memory.oom_control" if old.is_dir() else "memory.events"

    def make(self) -> None:
        """Make it; raises ``OSError`` where that is not allowed."""
        self._folder.mkdir()
        (self._folder / self._limit).write_text(str(LIMIT * 2**20))

    def remove(self) -> None:
        """Remove it, now that its processes are gone."""
        with suppress(FileNotFoundError):
            self._folder.rmdir()

    def take(self, pid: int) -> None:
        """Put a process into it."""
        (self._folder / "cgroup.procs").write_text(str(pid))

    def kills(self) -> int:
        """Return how many processes the kernel has ended in it."""
        fields = dict(line.split() for line in (self._folder / self._kills).read_text().splitlines())
        return int(fields["oom_kill"])


@pytest.fixture
def group() -> Iterator[MemoryGroup]:
    if os.geteuid() != 0:
        pytest.skip("only root can limit the memory of a group of processes")
    made = MemoryGroup()
    try:
        made.make()
    except OSError as error:
        made.remove()
        pytest.skip(f"no memory control group can be made here: {error}")
    yield made
    made.remove()


def test_the_kernels_out_of_memory_killer(
    stack: FaultStack, group: MemoryGroup, tmp_path: Path, report: Callable[[str], None]
) -> None:
    worker = stack.pid_of("worker")
    gate = tmp_path / "gate"
    job_id = stack.submit("swell", input={"mebibytes": 1024, "gate": str(gate)})
    wait_until_active(stack, job_id)
    group.take(stack.child_of(job_id).pid)

    gate.touch()
    took = stack.wait_until_done([job_id], 40)

    assert group.kills() == 1
    ended = stack.job(job_id)
    assert (ended["state"], ended["attemptsMade"]) == ("completed", 2)
    assert stack.runs(job_id) == [("1", "FAILURE"), ("2", "SUCCESS")]
    assert stack.events(job_id) == ["job.started", "job.requeued", "job.started", "job.completed"]
    ((told,),) = stack.rows("SELECT result FROM django_celery_results_taskresult WHERE task_id = %s", f"{job_id}:1")
    assert "worker lost: its process ended while the job ran" in told
    assert stack.finish(stack.submit("ping"))["state"] == "completed"
    assert stack.pid_of("worker") == worker
    report(f"done again by another child {took:.1f} s after the first was let go on")


def test_killed_at_every_attempt(stack: FaultStack) -> None:
    worker = stack.pid_of("worker")
    job_id = stack.begin("nap", 30)
    for attempt in (1, 2, 3):
        stack.wait_for_note(f"{job_id} {attempt} start")
        stack.child_of(job_id).kill()

    failed = stack.finish(job_id)

    assert (failed["state"], failed["attemptsMade"]) == ("failed", 3)
    assert failed["failedReason"] == "worker lost: its process ended while the job ran"
    assert stack.runs(job_id) == [("1", "FAILURE"), ("2", "FAILURE"), ("3", "FAILURE")]
    assert stack.events(job_id)[-1] == "job.failed"
    assert stack.finish(stack.submit("ping"))["state"] == "completed"
    assert stack.pid_of("worker") == worker


def wait_until_active(stack: FaultStack, job_id: str) -> None:
    wait_for(lambda: stack.job(job_id)["state"] == "active")
