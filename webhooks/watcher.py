"""Waiting for events: one thread looks for new ones while somebody waits, and wakes whom they concern.

However many clients wait, the database sees one small query per look. A waiter closes its database connection
first: an idle one would cost memory, and on PostgreSQL a server process.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection
from django.db.models import Max

from webhooks.models import Event

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
MOST_WAITERS = 200


class Watcher:
    """Wakes threads that wait for something to happen to a job."""

    def __init__(self, *, most_waiters: int = MOST_WAITERS) -> None:
        self._most_waiters = most_waiters
        self._lock = threading.Lock()
        self._somebody_waits = threading.Event()
        self._waiters: dict[int, set[threading.Event]] = defaultdict(set)
        self._last_seq = 0
        self._thread: threading.Thread | None = None

    def wait_until(self, job_id: int, is_so: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``is_so()`` holds, asking again after every event of the job; return whether it does.

        Returns after ``seconds`` at the latest, and at once when too many wait already.
        """
        deadline = time.monotonic() + seconds
        with self._waiting(job_id) as woken:
            while not is_so():
                left = deadline - time.monotonic()
                if woken is None or left <= 0:
                    return False
                connection.close()
                woken.wait(left)
                woken.clear()
            return True

    @contextmanager
    def _waiting(self, job_id: int) -> Iterator[threading.Event | None]:
        woken = self._enter(job_id)
        try:
            yield woken
        finally:
            if woken is not None:
                self._leave(job_id, woken)

    def _enter(self, job_id: int) -> threading.Event | None:
        with self._lock:
            waiting = sum(len(events) for events in self._waiters.values())
            if waiting >= self._most_waiters:
                return None
            if waiting == 0:
                self._last_seq = _newest_seq()
            woken = threading.Event()
            self._waiters[job_id].add(woken)
            self._somebody_waits.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
                self._thread.start()
            return woken

    def _leave(self, job_id: int, woken: threading.Event) -> None:
        with self._lock:
            self._waiters[job_id].discard(woken)
            if not self._waiters[job_id]:
                del self._waiters[job_id]
            if not self._waiters:
                self._somebody_waits.clear()

    def _run(self) -> None:
        while True:
            if not self._somebody_waits.is_set():
                connection.close()
                self._somebody_waits.wait()
            try:
                self._look()
            except DatabaseError as error:
                log.warning("The watcher could not read events: %s", error)
                connection.close()
            time.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        news = list(Event.objects.filter(seq__gt=self._last_seq).order_by("seq").values_list("seq", "job_id")[:1000])
        with self._lock:
            for seq, job_id in news:
                self._last_seq = max(self._last_seq, seq)
                for woken in self._waiters.get(job_id, ()):
                    woken.set()


def _newest_seq() -> int:
    return Event.objects.aggregate(newest=Max("seq"))["newest"] or 0


watcher = Watcher()
