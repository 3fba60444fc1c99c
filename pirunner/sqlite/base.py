"""SQLite for several busy processes: who waits for the write lock looks for it often.

SQLite's own wait sleeps ever longer, up to 100 ms between two looks, so that whoever has waited longest gets the lock
last: a worker that ends many jobs kept ``POST /jobs`` waiting for 300 ms. Here a transaction looks every half
millisecond at first and every 5 ms later.
"""

import time
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

FIRST_PAUSE = 0.0005
LONGEST_PAUSE = 0.005


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, with another wait at the start of a transaction."""

    _limit: float | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, and remember how long a transaction may wait for the write lock (seconds)."""
        self._patience = float(conn_params.get("timeout", 5.0)) if self._limit is None else self._limit
        return super().get_new_connection({**conn_params, "timeout": self._patience})

    def wait_at_most(self, seconds: float) -> None:
        """Wait no longer than this for a lock, on the connection that is open now and on those that follow it."""
        self._limit = self._patience = seconds
        with self.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    def _start_transaction_under_autocommit(self) -> None:
        """Begin a transaction, waiting for the lock; raises ``OperationalError`` when patience is over."""
        deadline = time.monotonic() + self._patience
        pause = FIRST_PAUSE
        with self.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 0")
            try:
                while not self._begins(cursor, last=time.monotonic() >= deadline):
                    time.sleep(pause)
                    pause = min(pause * 1.5, LONGEST_PAUSE)
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {int(self._patience * 1000)}")

    def _begins(self, cursor: Any, *, last: bool) -> bool:
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except OperationalError:
            if last:
                raise
            return False
        return True
