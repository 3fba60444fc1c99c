"""The intake: submissions that arrive at the same time share one transaction, and so one fsync.

Each request still waits until its own job is on disk. While one commit is under way the next submissions gather,
so a lone one is not delayed and a burst costs a few commits, instead of threads fighting for SQLite's write lock.
"""

import os
import queue
import threading
from concurrent.futures import Future

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from jobs.services import Accepted, NewJob, submit_job, submit_many

LARGEST_BATCH = 1000
PATIENCE_SECONDS = 30.0
"""A little more than SQLite waits for its lock, so that the database's own answer comes first."""

_Waiting = tuple[NewJob, "Future[Accepted]"]


class Intake:
    """Accepts jobs in the order they come, in one thread per process."""

    def __init__(self) -> None:
        self._reset()
        # A forked child inherits the object but not its thread.
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._waiting: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(self, new_job: NewJob) -> Accepted:
        """Return when the job is on disk; raises what ``jobs.services.submit_job`` raises."""
        answer: Future[Accepted] = Future()
        self._waiting.put((new_job, answer))
        if self._thread is None:
            self._start()
        return answer.result(PATIENCE_SECONDS)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            accept(self._next_batch())

    def _next_batch(self) -> list[_Waiting]:
        batch = [self._waiting.get()]
        while len(batch) < LARGEST_BATCH and not self._waiting.empty():
            batch.append(self._waiting.get())
        return batch


def accept(batch: list[_Waiting]) -> None:
    """Accept a batch and tell each waiter; if one spoils the transaction, accept them one by one."""
    alone = [waiting for waiting in batch if waiting[0].minds_others]
    together = [waiting for waiting in batch if not waiting[0].minds_others]
    if together:
        _accept_together(together)
    for waiting in alone:
        _accept_alone(waiting)


def _accept_together(batch: list[_Waiting]) -> None:
    try:
        accepted = submit_many([new_job for new_job, _ in batch])
    except (OperationalError, InterfaceError) as error:  # the database is locked or away, for one as for all
        _forget_connection(error)
        for _, answer in batch:
            answer.set_exception(error)
    except Exception:  # noqa: BLE001  (whose fault it is shows when each is accepted alone)
        for waiting in batch:
            _accept_alone(waiting)
    else:
        for (_, answer), given in zip(batch, accepted, strict=True):
            answer.set_result(given)


def _accept_alone(waiting: _Waiting) -> None:
    new_job, answer = waiting
    try:
        answer.set_result(submit_job(new_job))
    except Exception as error:  # noqa: BLE001  (it is raised again where the request waits)
        _forget_connection(error)
        answer.set_exception(error)


def _forget_connection(error: Exception) -> None:
    """Connect anew next time: no request ends in this thread that would check its connection."""
    if isinstance(error, DatabaseError):
        connection.close()


intake = Intake()
