"""Processes of this machine, as proc(5) shows them: whether they run, what they hold, and which they are.

A process id alone says little: it is used again after a reboot, and in every container. An *instance* names a
process for good: boot, pid namespace, process id and start time.
"""

import functools
import mmap
import os
from pathlib import Path

DEAD_STATES = frozenset({"Z", "X"})


def instance_of(pid: int) -> str:
    """Return the name of the instance that a running process of this machine is."""
    return f"{_system()}/{pid}/{_started(pid) or '?'}"


def has_ended(instance: str) -> bool:
    """Return whether an instance is known to have ended; False for one of another boot, machine or container."""
    system, _, process = instance.partition("/")
    pid, _, started = process.partition("/")
    return system == _system() and pid.isdigit() and _started(int(pid)) != started


def is_running(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    return _started(pid) is not None


def resident_mib(pid: int) -> float:
    """Return how much memory a process holds, in MiB (the second number of statm is in pages); 0 if it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * mmap.PAGESIZE / 2**20


def _started(pid: int) -> str | None:
    """Return when a process started, in clock ticks since the boot; None if it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name, in brackets, may hold anything; the state is the first field after it, the start time the 20th.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in DEAD_STATES else fields[19]


@functools.cache
def _system() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip().replace("-", "")[:16]
    return f"{boot}.{os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116  (the link itself is followed on purpose)
