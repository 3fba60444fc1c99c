"""Holding SQLite's write lock, as another program might."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.harness import FaultStack

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
