"""What the figures were measured on, and who else was busy there."""

import os
import platform
import resource
import sqlite3
import tempfile
import time
from pathlib import Path

import psutil

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


class Neighbours:
    """How busy others kept the machine since this was made; ask when all that was started has ended."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._others = _busy_seconds() - _own_seconds()

    def __str__(self) -> str:
        seconds = time.monotonic() - self._began
        others = _busy_seconds() - _own_seconds() - self._others
        return f"others used {max(0.0, others / seconds):.2f} of {os.cpu_count()} cores meanwhile; {load()}"


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and everybody below it have used so far."""
    process = psutil.Process(pid)
    return sum(_seconds(member) for member in [process, *process.children(recursive=True)])


def _busy_seconds() -> float:
    """Return the processor time that everybody together has used since the machine started."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def _own_seconds() -> float:
    """Return the processor time of this process and of all that it started and that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


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
