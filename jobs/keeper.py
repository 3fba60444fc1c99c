"""The keeper: a thread of the worker's parent that holds the leases of what the children run.

A handler may hold the interpreter's lock for long, so that a thread of its own process would starve: the parent
renews. It also ends a child that is past its deadline, and takes back at once what a dead child held.

No database connection may be open in the parent while it forks a child (a lock of SQLite's that is inherited was
seen to block the child for ever). So the thread opens and closes its own under a lock that forking takes too.
"""

import logging
import mmap
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from celery.signals import task_failure, worker_ready, worker_shutdown
from celery.worker import state as worker_state
from django.db import DatabaseError, connection
from django.utils import timezone

from jobs.catalog import find
from jobs.claims import renew_leases
from jobs.endings import LOST
from jobs.models import Job
from jobs.sweep import UNHEARD, end_lost, ring_unheard
from pirunner.signs import EVERY, show_life
from pirunner.sqlite.base import DatabaseWrapper as SqliteWrapper

log = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
LOOK_SECONDS = 1.0
BUSY_SECONDS = 1.0
STOPPED = "The worker was stopped; the attempt does not count."
CANCEL_GRACE = timedelta(seconds=5)

_no_fork = threading.Lock()
os.register_at_fork(before=_no_fork.acquire, after_in_parent=_no_fork.release, after_in_child=_no_fork.release)

Read = TypeVar("Read")


class Keeper:
    """Keeps the leases of one worker; ``worker`` is its Celery name, ``<role>@<host>``."""

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self._role = worker.partition("@")[0]
        self._ended: dict[int, str] = {}
        self._stopping = False
        self._look_now = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin to keep."""
        self._thread.start()

    def look_now(self) -> None:
        """Look after the children at once: one of them has died."""
        self._look_now.set()

    def begin_stop(self) -> None:
        """Know that the worker stops by plan: children that are ended from now on lose no attempt."""
        self._stopping = True

    def stop(self) -> None:
        """Stop keeping and give back what is still held, so that other workers need not wait for the leases."""
        self._stopped.set()
        self._look_now.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        self._ring()
        shown = renewed = float("-inf")
        while not self._stopped.is_set():
            now = time.monotonic()
            if now - shown >= EVERY:
                show_life(self._role, self.worker)
                shown = now
            busy = busy_children()
            renew = now - renewed >= RENEW_SECONDS
            if busy or renew or self._look_now.is_set():
                self._look_now.clear()
                self._keep(busy, renew=renew)
                renewed = now if renew else renewed
            self._look_now.wait(LOOK_SECONDS)
        self._give_back()

    def _ring(self) -> None:
        """Ring for all that waits: rings of the time without a worker may be lost."""
        try:
            with_database(lambda: ring_unheard(timezone.now() + UNHEARD))
        except DatabaseError as error:
            log.warning("The clock will ring instead: %s", error)

    def _give_back(self) -> None:
        try:
            with_database(lambda: give_back(self.worker))
        except DatabaseError as error:
            log.warning("What still runs could not be given back; its leases will run out: %s", error)

    def _keep(self, busy: list[int], *, renew: bool) -> None:
        try:
            with_database(lambda: keep(self.worker, busy, self._ended, renew=renew, stopping=self._stopping))
        except DatabaseError as error:
            log.warning("The leases could not be looked after now: %s", error)


def keep(worker: str, busy: list[int], ended: dict[int, str], *, renew: bool, stopping: bool = False) -> None:
    """Look once after what a worker holds: renew, end children that must not go on, take back from dead ones.

    ``busy`` are the children that run a task now; ``ended`` is where the reasons of those ended here are kept, by
    process id. An idle worker only reads: one small query.
    """
    held = list(Job.objects.active().filter(worker=worker))
    if not held:
        ended.clear()
        return
    now = timezone.now()
    if renew:
        renew_leases(worker=worker, child_pids=[pid for pid in busy if is_running(pid)], now=now)
    for job in held:
        if job.child_pid in busy and (reason := must_end(job, now)):
            ended[job.child_pid] = reason
            end_child(job.child_pid, f"job {job.pk}: {reason}")
    lost = [job for job in held if job.child_pid is not None and not is_running(job.child_pid)]
    if lost:
        reason = STOPPED if stopping else f"{LOST}: its process ended while the job ran"
        end_lost(lost, now=now, reason=reason, why=ended, planned=stopping)


def must_end(job: Job, now: datetime) -> str:
    """Return why the process that runs a job must be ended now, or an empty text."""
    job_type = find(job.job_type)
    if job.deadline_at is not None and job.deadline_at <= now:
        return "time limit exceeded, and the handler did not stop"
    if job.cancel_requested_at is not None and now - job.cancel_requested_at > CANCEL_GRACE:
        return "cancelled, and the handler did not stop"
    if job_type is not None and job.child_pid is not None and resident_mib(job.child_pid) > job_type.memory_limit:
        return f"memory limit of {job_type.memory_limit} MiB exceeded"
    return ""


def resident_mib(pid: int) -> float:
    """Return how much memory a process holds, in MiB (proc(5): the second number of statm is in pages); 0 if gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * mmap.PAGESIZE / 2**20


def busy_children() -> list[int]:
    """Return the process ids of the children that run a task now."""
    for _ in range(3):
        try:
            return sorted({r.worker_pid for r in worker_state.active_requests if r.worker_pid})
        except RuntimeError:
            continue  # the main thread changed the set while it was read
    return []


def is_running(pid: int) -> bool:
    """Return whether a process exists and is no zombie (proc(5): the state follows the name in brackets)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def end_child(pid: int, reason: str) -> None:
    """Kill a child of this process; the worker starts a new one in its place."""
    log.warning("Ending child process %d: %s.", pid, reason)
    os.kill(pid, signal.SIGKILL)


def with_database(work: Callable[[], Read]) -> Read:
    """Do short database work in a thread of a process that forks, on a connection of its own."""
    with _no_fork:
        try:
            _open_briefly()
            return work()
        finally:
            connection.close()


def _open_briefly() -> None:
    """Open a connection that waits a second at most for SQLite's lock: forking waits as long."""
    connection.ensure_connection()
    if isinstance(connection, SqliteWrapper):
        connection.wait_at_most(BUSY_SECONDS)


def give_back(worker: str) -> None:
    """Give back all that a worker still holds: it stops by plan."""
    held = list(Job.objects.active().filter(worker=worker))
    end_lost(held, now=timezone.now(), reason=STOPPED, planned=True)


_keeper: Keeper | None = None


@worker_ready.connect  # type: ignore[untyped-decorator]
def start_keeping(sender: Any, **_: Any) -> None:
    """Begin when the worker's parent is ready (celery.signals.worker_ready)."""
    global _keeper  # noqa: PLW0603  (one worker per process)
    _keeper = Keeper(sender.hostname)
    _keeper.start()
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
        _tell_of_stop(_keeper, number)


def _tell_of_stop(keeper: Keeper, number: signal.Signals) -> None:
    """Tell the keeper of a signal that stops the worker, before and after Celery waits for the children."""
    celery_handler = signal.getsignal(number)

    def handler(received: int, frame: FrameType | None) -> None:
        keeper.begin_stop()
        if callable(celery_handler):
            celery_handler(received, frame)
        # Celery has waited as long as it may, and ends the children next. It sends no worker_shutdown then.
        keeper.stop()

    if callable(celery_handler):
        signal.signal(number, handler)


@task_failure.connect  # type: ignore[untyped-decorator]
def look_after_loss(**_: Any) -> None:
    """Look after the children when one was lost; in a child, where other failures are signalled, do nothing."""
    if _keeper is not None:
        _keeper.look_now()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def stop_keeping(**_: Any) -> None:
    """Give back what is held when the worker stops."""
    if _keeper is not None:
        _keeper.stop()
