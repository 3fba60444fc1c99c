"""What a power cut would leave on the disk, at many moments: every job whose 202 was sent is in it."""

import random
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.faults.harness import Client, FaultStack
from tests.stack import wait_for

pytestmark = pytest.mark.faults

COPIES = 25
CLIENTS = 3
NAME = "pirunner.sqlite3"


def copy_as_cut_off(stack: FaultStack, folder: Path) -> None:
    """Copy the database as it lies there: the file, then its log with whatever is half written at the end.

    The index of the log (-shm) is memory, which a power cut takes. A reader holds the log meanwhile: without it a
    checkpoint could empty it between the two copies, and they would not be of one moment. Another program copies,
    because closing the file would free the locks of this one.
    """
    database = Path(stack.environment["RUNNER_DATA_DIR"]) / NAME
    folder.mkdir()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM jobs_canary").fetchall()
        for suffix in ("", "-wal"):
            subprocess.run(["cp", f"{database}{suffix}", str(folder / f"{NAME}{suffix}")], check=True)


def check_copy(folder: Path, accepted: list[str]) -> int:
    """Open a copy, as the next start would, and check that it is sound and whole; return how many jobs it has."""
    with closing(sqlite3.connect(folder / NAME)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
        jobs = {str(job_id) for (job_id,) in copy.execute("SELECT id FROM jobs_job")}
    assert set(accepted) <= jobs
    return len(jobs)


def test_every_accepted_job_is_in_every_copy(stack: FaultStack, tmp_path: Path, report: Callable[[str], None]) -> None:
    copies: list[tuple[Path, list[str]]] = []
    with ExitStack() as open_until_the_end:
        clients = [open_until_the_end.enter_context(Client(stack, pause=0.0)) for _ in range(CLIENTS)]
        for number in range(COPIES):
            seen = sum(len(client.accepted) for client in clients)
            pause = time.monotonic() + random.uniform(0.0, 0.3)
            wait_for(lambda: sum(len(client.accepted) for client in clients) > seen, pause=0.001)  # noqa: B023
            wait_for(lambda: time.monotonic() > pause, pause=0.001)  # noqa: B023
            accepted = [job_id for client in clients for job_id in list(client.accepted)]
            copy_as_cut_off(stack, tmp_path / f"copy{number}")
            copies.append((tmp_path / f"copy{number}", accepted))
    stack.cut_power()

    logs = [(folder / f"{NAME}-wal").stat().st_size for folder, _ in copies]
    found = [check_copy(folder, accepted) for folder, accepted in copies]

    last, accepted = copies[-1]
    everything_ends_on(last, accepted, tmp_path / "next")
    report(
        f"{COPIES} copies with 0 to {max(logs) // 1024} KiB of log, all sound; {len(accepted)} jobs accepted before the"
        f" last, {found[-1]} in it, all done after the next start on it"
    )


def everything_ends_on(copy: Path, accepted: list[str], folder: Path) -> None:
    """Start pirunner on a copy, and wait until every job that was accepted has ended."""
    (folder / "data").mkdir(parents=True)
    for file in copy.iterdir():
        shutil.copy(file, folder / "data")
    with FaultStack(folder) as stack:
        stack.wait_until_done(accepted, 40)
        assert stack.states(accepted) == {"completed": len(accepted)}


# -- the disk itself ----------------------------------------------------------------------------------------------

CALLS = "pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg"


@contextmanager
def traced(pid: int, path: Path) -> Iterator[None]:
    """Note the system calls of a process, and of all its threads, in a file."""
    tracer = subprocess.Popen(
        ["strace", "-f", "-y", "-s", "40", "-e", f"trace={CALLS}", "-o", str(path), "-p", str(pid)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert tracer.stderr
    try:
        first = tracer.stderr.readline().decode()
        if "attached" not in first:
            pytest.skip(f"strace may not look at another process here: {first.strip()}")
        yield
    finally:
        tracer.terminate()
        tracer.wait()
        tracer.stderr.close()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not on PATH")
def test_the_log_is_synced_before_the_answer(stack: FaultStack, tmp_path: Path) -> None:
    (server,) = psutil.Process(stack.pid_of("api")).children()
    trace = tmp_path / "trace"

    with traced(server.pid, trace):
        job_id = stack.submit("ping")
        wait_for(lambda: "HTTP/1.1 202" in trace.read_text(errors="replace"))

    calls = trace.read_text(errors="replace").splitlines()
    answered = next(number for number, call in enumerate(calls) if "HTTP/1.1 202" in call)
    written = [number for number, call in enumerate(calls[:answered]) if "pwrite64(" in call and f"{NAME}-wal" in call]
    synced = [number for number in range(answered) if is_synced(calls, number, answered)]
    assert written, f"job {job_id} was written nowhere"
    assert synced
    assert synced[-1] > written[-1]


def is_synced(calls: list[str], number: int, before: int) -> bool:
    """Tell whether a line begins a sync of the log that has succeeded before another line."""
    if not re.search(rf"(fdatasync|fsync)\(\d+<[^>]*{re.escape(NAME)}-wal>", calls[number]):
        return False
    thread = calls[number].split()[0]
    ends = [call for call in calls[number:before] if call.split()[0] == thread and "sync" in call]
    return any(call.rstrip().endswith("= 0") for call in ends[:2])
