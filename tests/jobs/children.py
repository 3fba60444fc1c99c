"""Real child processes, alive and dead."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from jobs.processes import is_running
from tests.parts import wait_for

Child = subprocess.Popen[bytes]


@pytest.fixture
def child() -> Iterator[Callable[[], Child]]:
    """Start children that sleep until they are ended."""
    children: list[Child] = []

    def begin() -> Child:
        children.append(subprocess.Popen(["sleep", "60"]))
        return children[-1]

    yield begin
    for each in children:
        each.kill()
        each.wait()


def zombie(begun: Child) -> int:
    """End a child without taking note of it."""
    os.kill(begun.pid, signal.SIGKILL)
    wait_for(lambda: not is_running(begun.pid))
    return begun.pid


def dead(begun: Child) -> int:
    """End a child and take note of it."""
    begun.kill()
    begun.wait()
    return begun.pid
