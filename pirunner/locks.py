"""Who holds a lock file: asked without taking it for longer than an instant."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Held(Exception):
    """Another process holds the lock."""


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a lock file (flock(2)), which is made if it is not there; raises ``Held``, or ``OSError``."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Held(str(path)) from None
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Return whether another process holds a lock file; no file is made."""
    if not path.exists():
        return False
    try:
        with holding(path):
            return False
    except Held:
        return True
