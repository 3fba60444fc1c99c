"""The disk that holds everything is full, and later has room again."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import FaultStack
from tests.stack import wait_for

pytestmark = pytest.mark.faults

SIZE = 40  # MiB
FULL = 22.0  # seconds, longer than a lease


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of our own with room for a few MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=700", "pirunner-test", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def stack(tmp_path: Path, small_disk: Path) -> Iterator[FaultStack]:
    with FaultStack(tmp_path, RUNNER_DATA_DIR=str(small_disk / "data"), WORKER_CONCURRENCY="3") as running:
        yield running


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Fill a disk with a file, but for so many bytes; return the file."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12):
            while shutil.disk_usage(disk).free >= leave + size:
                file.write(b"x" * size)
    return filler


def test_nothing_is_lost_by_a_full_disk(stack: FaultStack, small_disk: Path, report: Callable[[str], None]) -> None:
    filler = fill(small_disk, leave=4 * 2**20)
    file_job = stack.submit("file", input={"mebibytes": 8})
    wait_for(lambda: stack.job(file_job)["attemptsMade"] >= 1)
    reason = stack.job(file_job)["failedReason"]
    assert "No space left on device" in reason
    assert stack.job(file_job)["state"] in {"delayed", "waiting", "active"}
    assert not list(small_disk.rglob(".blank*"))

    nap = stack.begin("nap", 8)
    stack.wait_for_note(f"{nap} 1 start")
    fill(small_disk)
    began = time.monotonic()
    accepted: list[str] = []
    while (answer := stack.request("POST", "/jobs", {"jobType": "ping"})).status == 202:
        accepted.append(str(answer.json()["jobId"]))
        assert len(accepted) < 5_000
    assert answer.status == 503
    assert answer.json()["error"] == "unavailable"
    assert int(answer.headers["retry-after"]) > 0
    assert stack.request("GET", f"/jobs/{nap}").status == 200
    assert stack.request("GET", "/health").json()["disk"]["state"] == "full"
    wait_for(lambda: time.monotonic() >= began + FULL, FULL + 5)

    filler.unlink()
    everything = [file_job, nap, *accepted, stack.submit("ping")]
    took = stack.wait_until_done(everything, 40)

    assert stack.states(everything) == {"completed": len(everything)}
    assert stack.events(nap) == ["job.started", "job.completed"]
    assert stack.runs(nap) == [("1", "SUCCESS")]
    assert stack.notes() == [f"{nap} 1 start", f"{nap} 1 end"]
    assert stack.rows("PRAGMA integrity_check") == [("ok",)]
    assert "shows no sign of life" not in stack.log()
    report(
        f"full for {FULL:g} s: {len(accepted)} accepted until the log could not grow, then 503; the nap's result was"
        f" kept; all {len(everything)} done {took:.1f} s after there was room again"
    )
