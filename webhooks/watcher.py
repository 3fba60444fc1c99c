"""Waiting for news of jobs: one thread looks for new rows while somebody waits, and wakes whom they concern.

A source is a table whose rows belong to jobs and whose numbers become visible in order. However many clients wait,
the database sees one small query per source and look. Nobody holds a database connection while waiting: an idle one
would cost memory, and on PostgreSQL a server process. When many are woken at once, a few read at a time.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import Error, connection
from django.db.models import Model

log = logging.getLogger(__name__)

EVENTS = "events"
"""The source of what happens to jobs."""
EVERY_JOB = 0
"""In place of a job's id: news of any job."""

LONGEST_WAIT = 50
"""Seconds a client may wait for an answer: many give up after a minute."""

LOOK_SECONDS = 0.05
ERROR_SECONDS = 1.0
MOST_WAITERS = 200
MOST_READERS = 8
BATCH = 1000

Topic = tuple[str, int]
T = TypeVar("T")


class CannotWait(Exception):
    """As many wait as may, or the process is about to stop; answer with what there is, or send the client away."""


class Waiter:
    """Somebody's place among those who wait, from ``Watcher.enter`` to ``Watcher.leave``."""

    def __init__(self, topics: Iterable[Topic]) -> None:
        self.topics = tuple(topics)
        self._woken = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait for news since the last wait, at most so long, without a database connection."""
        connection.close()
        self._woken.wait(seconds)
        self._woken.clear()

    def wake(self) -> None:
        """End the wait under way, or else the next one."""
        self._woken.set()


class Watcher:
    """Wakes threads that wait for news of a job, or of all of them."""

    def __init__(self, *, most_waiters: int = MOST_WAITERS) -> None:
        self._most_waiters = most_waiters
        self._lock = threading.Lock()
        self._waiters: dict[Topic, set[Waiter]] = defaultdict(set)
        self._waiting = 0
        self._somebody_waits = threading.Event()
        self._stopped = threading.Event()
        self._readers = threading.BoundedSemaphore(MOST_READERS)
        self._sources: dict[str, _Source] = {}
        self._seen: dict[str, int] = {}
        self._thread: threading.Thread | None = None

    @property
    def stopped(self) -> bool:
        """Whether the process is about to stop, so that nobody should wait any longer."""
        return self._stopped.is_set()

    def add_source(self, name: str, model: type[Model]) -> None:
        """Look at a table too: its primary key numbers the rows, its ``job_id`` says whom they concern."""
        self._sources[name] = _Source(model)

    def enter(self, job_id: int, *sources: str) -> Waiter:
        """Take a place among those who wait for news of a job (or ``EVERY_JOB``) in these sources.

        What becomes visible after this call wakes the waiter, so enter first and then read what there is.
        Raises ``CannotWait``.
        """
        waiter = Waiter((source, job_id) for source in sources)
        with self._lock:
            if self.stopped or self._waiting >= self._most_waiters:
                raise CannotWait
            self._waiting += 1
            for topic in waiter.topics:
                self._waiters[topic].add(waiter)
            self._somebody_waits.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
                self._thread.start()
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Give the place up; a second time changes nothing."""
        with self._lock:
            if not any(waiter in self._waiters.get(topic, ()) for topic in waiter.topics):
                return
            for topic in waiter.topics:
                self._waiters[topic].discard(waiter)
                if not self._waiters[topic]:
                    del self._waiters[topic]
            self._waiting -= 1
            if not self._waiting:
                self._somebody_waits.clear()

    def read_until(
        self,
        job_id: int,
        read: Callable[[], T],
        is_enough: Callable[[T], bool],
        seconds: float,
        *,
        sources: tuple[str, ...] = (EVENTS,),
    ) -> T:
        """Read now and again after all news of the job in the sources; return what was read when it is enough.

        Returns the last that was read after ``seconds``, and the first when too many wait already.
        """
        deadline = time.monotonic() + seconds
        try:
            waiter = self.enter(job_id, *sources)
        except CannotWait:
            return self.look(read)
        try:
            while not is_enough(found := self.look(read)) and (left := deadline - time.monotonic()) > 0:
                if self.stopped:
                    break
                waiter.wait(left)
            return found
        finally:
            self.leave(waiter)

    def look(self, read: Callable[[], T]) -> T:
        """Return what ``read()`` finds in the database: a few at a time, and no connection stays behind."""
        with self._readers:
            try:
                return read()
            finally:
                connection.close()

    def stop(self) -> None:
        """Wake everybody, and let nobody wait any more: the process is about to stop."""
        with self._lock:
            self._stopped.set()
            for waiters in self._waiters.values():
                _wake(waiters)

    def _run(self) -> None:
        while not self.stopped:
            if not self._somebody_waits.is_set():
                connection.close()
                self._seen.clear()
                self._somebody_waits.wait()
            self._stopped.wait(self._look_everywhere())
        connection.close()

    def _look_everywhere(self) -> float:
        """Look at every source once; return after how many seconds to look again."""
        try:
            for name, source in self._sources.items():
                self._look_at(name, source)
        except Error as error:
            # What was seen is remembered, so that nothing is missed when the database is back.
            log.warning("The watcher could not read: %s", error)
            connection.close()
            return ERROR_SECONDS
        return LOOK_SECONDS

    def _look_at(self, name: str, source: "_Source") -> None:
        waited_for = [topic for topic in list(self._waiters) if topic[0] == name]
        if not waited_for:
            self._seen.pop(name, None)
            return
        if name not in self._seen:
            # Somebody entered before this first look and may have read before it too: let them read once more.
            newest = source.newest()
            self._wake_topics(waited_for)
            self._seen[name] = newest
        elif news := source.after(self._seen[name]):
            self._seen[name] = news[-1][0]
            self._wake_topics({(name, EVERY_JOB), *((name, job_id) for _, job_id in news)})

    def _wake_topics(self, topics: Iterable[Topic]) -> None:
        with self._lock:
            for topic in topics:
                _wake(self._waiters.get(topic, ()))


class _Source:
    """A table to look at, in SQL of its own: through the ORM every look would cost several times as much."""

    def __init__(self, model: type[Model]) -> None:
        meta = model._meta  # noqa: SLF001  (Django documents it: the model _meta API)
        table, key = f'"{meta.db_table}"', f'"{meta.pk.column}"'
        self._newest = f"SELECT COALESCE(MAX({key}), 0) FROM {table}"  # noqa: S608  (names of ours)
        self._after = f"SELECT {key}, job_id FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT {BATCH}"  # noqa: S608

    def newest(self) -> int:
        """Return the largest number there is."""
        with connection.cursor() as cursor:
            cursor.execute(self._newest)
            return int(cursor.fetchone()[0])

    def after(self, number: int) -> list[tuple[int, int]]:
        """Return number and job of the rows after a number, in order, at most ``BATCH``."""
        with connection.cursor() as cursor:
            cursor.execute(self._after, [number])
            rows: list[tuple[int, int]] = cursor.fetchall()
            return rows


def _wake(waiters: Iterable[Waiter]) -> None:
    for waiter in waiters:
        waiter.wake()


watcher = Watcher()
