"""Leadership: of several clocks one works, the others wait.

It is a lock that the operating system or PostgreSQL frees when its holder dies, so it costs no writes and needs no
expiry: ``flock`` beside the SQLite file, an advisory lock on a session of its own in PostgreSQL.
"""

import fcntl
import os
from pathlib import Path
from typing import Protocol

from django.db import DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

ADVISORY_KEY = 7_101_878


class LeaderLock(Protocol):
    """A lock that one process at a time holds."""

    def hold(self) -> bool:
        """Take the lock, or make sure that it is still held; return whether it is."""

    def release(self) -> None:
        """Give the lock up."""


class FileLock:
    """``flock`` on a file beside the database (flock(2)); freed by the kernel when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def hold(self) -> bool:
        """Take the lock if it is free."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Close the file, which frees the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class AdvisoryLock:
    """PostgreSQL's session lock, on a connection of its own with short keepalives; freed when the session ends."""

    def __init__(self) -> None:
        self._session: BaseDatabaseWrapper | None = None

    def hold(self) -> bool:
        """Take the lock if it is free; while it is held, ask the server whether the session still stands."""
        if self._session is not None:
            return self._still_stands(self._session)
        session = _own_session()
        with session.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_KEY])
            row = cursor.fetchone()
        if not (row and row[0]):
            session.close()
            return False
        self._session = session
        return True

    def release(self) -> None:
        """Close the session, which frees the lock."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _still_stands(self, session: BaseDatabaseWrapper) -> bool:
        try:
            with session.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            self.release()
            return False
        return True


def leader_lock() -> LeaderLock:
    """Return the lock that fits the database in use."""
    if connection.vendor == "postgresql":
        return AdvisoryLock()
    return FileLock(Path(f"{connection.settings_dict['NAME']}.clock"))


def _own_session() -> BaseDatabaseWrapper:
    session = connections.create_connection("default")
    session.settings_dict = {
        **session.settings_dict,
        "CONN_MAX_AGE": None,
    }
    return session
