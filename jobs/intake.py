"""The intake: submissions that arrive at the same time share one transaction, and so one fsync.

Each request still waits until its own job is on disk. While one commit is under way the next submissions gather,
so a lone one is not delayed and a burst costs a few commits, instead of threads fighting for SQLite's write lock.
"""

import os
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, close_old_connections, connection

from jobs.selectors import IdempotencyMismatch, find_answer
from jobs.services import Accepted, NewJob, submit_job, submit_many
from pirunner.errors import Unavailable

LARGEST_BATCH = 1000
PATIENCE_SECONDS = 30.0
"""A little more than SQLite waits for its lock, so that the database's own answer comes first."""
LONG_SECONDS = 5.0
"""When the database has kept a batch waiting for so long in vain, those who came meanwhile need not try as well."""
PATIENCE_EACH = 0.02
"""What each of many adds to that, in seconds: at worst each is accepted alone, with an fsync of its own."""

_Waiting = tuple[NewJob, "Future[Accepted]"]


class Intake:
    """Accepts jobs in the order they come, in one thread per process."""

    def __init__(self) -> None:
        self._reset()
        # A forked child inherits the object but not its thread.
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._waiting: queue.SimpleQueue[list[_Waiting]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(self, new_job: NewJob) -> Accepted:
        """Return when the job is on disk; raises what ``jobs.services.submit_job`` raises, or ``Unavailable``."""
        (outcome,) = self.submit_all([new_job])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def submit_all(self, new_jobs: Sequence[NewJob]) -> list[Accepted | Exception]:
        """Return when all that can be accepted are on disk: for each what ``submit`` would return or raise."""
        group: list[_Waiting] = [(new_job, Future()) for new_job in new_jobs]
        if not group:
            return []
        self._waiting.put(group)
        if self._thread is None or not self._thread.is_alive():
            self._start()
        until = time.monotonic() + PATIENCE_SECONDS + PATIENCE_EACH * len(group)
        return [_outcome(answer, until) for _, answer in group]

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            batch = _still_wanted(self._next_batch())
            close_old_connections()  # one that the server closed meanwhile is noticed here, as between two requests
            began = time.monotonic()
            away = accept(batch)
            if away and time.monotonic() - began > LONG_SECONDS:
                self._refuse_those_who_wait(away)

    def _next_batch(self) -> list[_Waiting]:
        batch = self._waiting.get()
        while len(batch) < LARGEST_BATCH and not self._waiting.empty():
            batch = batch + self._waiting.get()
        return batch

    def _refuse_those_who_wait(self, error: Exception) -> None:
        while not self._waiting.empty():
            _refuse(_still_wanted(self._waiting.get()), error)


def _still_wanted(batch: list[_Waiting]) -> list[_Waiting]:
    """Leave out those for whom nobody waits any more: they must not be accepted after all."""
    return [waiting for waiting in batch if waiting[1].set_running_or_notify_cancel()]


def _outcome(answer: "Future[Accepted]", until: float, *, again: bool = True) -> Accepted | Exception:
    try:
        return answer.result(max(0.0, until - time.monotonic()))
    except TimeoutError:
        if answer.cancel():
            return Unavailable("The database is busy or away; nothing was accepted. Try again.")
        if again:  # it is being written just now
            return _outcome(answer, time.monotonic() + PATIENCE_SECONDS, again=False)
        return Unavailable("The database does not answer; repeat it with its idempotency key.")
    except Exception as error:  # noqa: BLE001  (the caller raises it, or reports it beside the others)
        return error


def accept(batch: list[_Waiting]) -> Exception | None:
    """Accept a batch and tell each waiter; if one spoils the transaction, accept them one by one.

    Returns the error if the database was locked or away: those who were not accepted by then have been told so.
    """
    together, alone = _split(batch)
    away = _accept_together(together) if together else None
    return _accept_each(alone, away)


def _split(batch: list[_Waiting]) -> tuple[list[_Waiting], list[_Waiting]]:
    """Return those that can share a transaction, and those that depend on others of their concurrency key or key."""
    minded = {new_job.concurrency_key for new_job, _ in batch if new_job.minds_others}
    together: list[_Waiting] = []
    alone: list[_Waiting] = []
    names: set[tuple[str, str]] = set()
    for waiting in batch:
        new_job, _ = waiting
        name = (new_job.owner, new_job.idempotency.key) if new_job.idempotency else None
        depends = new_job.concurrency_key in minded or name in names
        (alone if depends else together).append(waiting)
        if name:
            names.add(name)
    return together, alone


def _accept_together(batch: list[_Waiting]) -> Exception | None:
    try:
        accepted = submit_many([new_job for new_job, _ in batch])
    except (OperationalError, InterfaceError) as error:  # the database is locked or away, for one as for all
        _forget_connection(error)
        return _refuse(batch, error)
    except IntegrityError:
        return _accept_unknown(batch)
    except Exception:  # noqa: BLE001  (whose fault it is shows when each is accepted alone)
        return _accept_each(batch)
    for (_, answer), given in zip(batch, accepted, strict=True):
        answer.set_result(given)
    return None


def _accept_unknown(batch: list[_Waiting]) -> Exception | None:
    """Answer those whose idempotency key was used since they were checked, and accept the others."""
    unknown = [waiting for waiting in batch if not _is_answered(waiting)]
    if len(unknown) == len(batch):
        return _accept_each(batch)
    return _accept_together(unknown) if unknown else None


def _is_answered(waiting: _Waiting) -> bool:
    new_job, answer = waiting
    try:
        known = new_job.idempotency and find_answer(owner=new_job.owner, idempotency=new_job.idempotency)
    except IdempotencyMismatch as mismatch:
        answer.set_exception(mismatch)
        return True
    if known:
        answer.set_result(Accepted(known, deduplicated=True))
    return bool(known)


def _accept_each(batch: list[_Waiting], away: Exception | None = None) -> Exception | None:
    """Accept one after the other, until the database is found to be ``away``: then it is for all that follow."""
    for waiting in batch:
        away = _refuse([waiting], away) if away else _accept_alone(waiting)
    return away


def _accept_alone(waiting: _Waiting) -> Exception | None:
    new_job, answer = waiting
    try:
        answer.set_result(submit_job(new_job))
    except Exception as error:  # noqa: BLE001  (it is raised again where the request waits)
        _forget_connection(error)
        answer.set_exception(error)
        return error if isinstance(error, OperationalError | InterfaceError) else None
    return None


def _refuse(batch: list[_Waiting], error: Exception) -> Exception:
    for _, answer in batch:
        answer.set_exception(error)
    return error


def _forget_connection(error: Exception) -> None:
    """Connect anew next time: no request ends in this thread that would check its connection."""
    if isinstance(error, DatabaseError | InterfaceError):
        connection.close()


intake = Intake()
