"""What the figures were measured on, and who else was busy there."""

import os
import platform
import sqlite3
import tempfile
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # (it has no stubs of its own)

from tests.bench.figures import median


def describe(folder: Path) -> str:
    """Return one line about the machine, and what a flush to the disk of ``folder`` costs."""
    return (
        f"{os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, fdatasync {_flush_ms(folder):.2f} ms, {load()}"
    )


def load() -> str:
    """Return the load averages; beside a figure they say how much of it belongs to others."""
    one, five, _ = os.getloadavg()
    return f"load {one:.2f} (1 min) {five:.2f} (5 min)"


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and everybody below it have used so far."""
    process = psutil.Process(pid)
    return sum(_seconds(member) for member in [process, *process.children(recursive=True)])


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _flush_ms(folder: Path) -> float:
    """Return the median time of writing and flushing 4 KiB."""
    seconds: list[float] = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(50):
            os.write(file.fileno(), b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - began)
    return 1000 * median(seconds)
