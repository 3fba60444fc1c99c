"""The keeper: a thread of the worker's parent that holds the leases of what the children run.

A handler may hold the interpreter's lock for long, so that a thread of its own process would starve: the parent
renews. It also ends a child that is past its deadline, and takes back at once what a dead child held.

No database connection may be open in the parent while it forks a child (a lock of SQLite's that is inherited was
seen to block the child for ever). So the thread opens and closes its own under a lock that forking takes too.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, TypeVar

from celery.signals import task_failure, worker_ready, worker_shutdown
from celery.worker import state as worker_state
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction
from django.utils import timezone

from jobs.catalog import find
from jobs.claims import renew_leases
from jobs.deadlines import Deadlines
from jobs.endings import LOST
from jobs.models import Job
from jobs.processes import has_ended, instance_of, is_running, resident_mib
from jobs.sweep import UNHEARD, end_lost, ring_unheard
from pirunner.signs import LifeSign
from pirunner.sqlite.base import DatabaseWrapper as SqliteWrapper

log = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
LOOK_SECONDS = 1.0
SOFT_STOP_SECONDS = 15.0
BUSY_SECONDS = 1.0
STOPPED = "The worker was stopped; the attempt does not count."

_no_fork = threading.Lock()
os.register_at_fork(before=_no_fork.acquire, after_in_parent=_no_fork.release, after_in_child=_no_fork.release)

Read = TypeVar("Read")


class Keeper:
    """Keeps the leases of one worker; ``worker`` is its Celery name, ``<role>@<host>``."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._instance = instance_of(os.getpid())
        self._ended: dict[int, str] = {}
        self._deadlines = Deadlines()
        self._stopping = False
        self._idle = threading.Event()
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
        """Wait a while for what runs: the worker stops by plan, and children ended from now on lose no attempt."""
        self._stopping = True
        self._idle.clear()
        self._look_now.set()
        self._idle.wait(SOFT_STOP_SECONDS)

    def stop(self) -> None:
        """Stop keeping and give back what is still held, so that other workers need not wait for the leases."""
        self._stopped.set()
        self._look_now.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        self._persist("what was left could not be taken back", lambda: take_over(self._worker, self._instance))
        renewed = float("-inf")
        kept = True
        while not self._stopped.is_set():
            now = time.monotonic()
            busy = busy_children()
            renew = now - renewed >= RENEW_SECONDS
            if busy or renew or self._stopping or self._look_now.is_set() or not kept:
                self._look_now.clear()
                # What failed is tried again at the next look, so that a lease that ran out meanwhile is renewed soon.
                kept = self._keep(busy, renew=renew)
                renewed = now if renew and kept else renewed
            self._look_now.wait(LOOK_SECONDS)
        self._persist("its leases will run out", lambda: give_back(self._instance))

    def _keep(self, busy: list[int], *, renew: bool) -> bool:
        kept = self._persist("leases could not be looked after", lambda: self._look(busy, renew=renew))
        if not kept:
            self._deadlines.put_off(steady=time.monotonic())
        return kept

    def _look(self, busy: list[int], *, renew: bool) -> None:
        held = keep(self._instance, busy, self._ended, renew=renew, stopping=self._stopping, deadlines=self._deadlines)
        if held == 0:
            self._idle.set()

    def _persist(self, failing: str, work: Callable[[], None]) -> bool:
        """Do work and go on whatever happens: without this thread every job of the worker would be taken away.

        Returns whether it succeeded.
        """
        try:
            with_database(work)
        except DatabaseError as error:
            log.warning("The database did not answer the keeper: %s (%s).", failing, error)
        except Exception:
            log.exception("The keeper failed: %s.", failing)
        else:
            return True
        return False


def take_over(worker: str, instance: str) -> None:
    """Begin where an earlier instance of a worker ended: take back what it held, ring for all that waits.

    Rings of the time without a worker may be lost. What an instance held that may still run somewhere (on another
    machine, in another container) is left to its lease.
    """
    now = timezone.now()
    held = Job.objects.active().filter(worker=worker).exclude(instance=instance)
    lost = [job for job in held if has_ended(job.instance) and not (job.child_pid and is_running(job.child_pid))]
    if lost:
        end_lost(lost, now=now, reason=f"{LOST}: it ended while the job ran")
    ring_unheard(now + UNHEARD)


def keep(
    instance: str,
    busy: list[int],
    ended: dict[int, str],
    *,
    renew: bool,
    deadlines: Deadlines,
    stopping: bool = False,
) -> int:
    """Look once after what a worker holds: renew, end children that must not go on, take back from dead ones.

    ``busy`` are the children that run a task now; ``ended`` is where the reasons of those ended here are kept, by
    process id. An idle worker only reads: one small query. Returns how many jobs it holds.
    """
    held = list(Job.objects.active().filter(instance=instance))
    if not held:
        ended.clear()
        return 0
    now, steady = timezone.now(), time.monotonic()
    deadlines.look(held, now=now, steady=steady)
    end_children(held, busy, ended, too_large)
    if renew:
        over = {job.child_pid for job in held if deadlines.is_over(job, steady=steady)}
        live = [pid for pid in busy if pid not in over and is_running(pid)]
        renew_leases(instance=instance, child_pids=live, now=now)
    if any(out_of_time(job, deadlines, steady) for job in held):
        insist_on_writes()
        end_children(held, busy, ended, lambda job: out_of_time(job, deadlines, steady))
    lost = [job for job in held if job.child_pid is not None and not is_running(job.child_pid)]
    if lost:
        reason = STOPPED if stopping else f"{LOST}: its process ended while the job ran"
        end_lost(lost, now=now, reason=reason, why=ended, planned=stopping)
        for pid in {job.child_pid for job in lost}:
            ended.pop(pid or 0, None)
    return len(held) - len(lost)


def too_large(job: Job) -> str:
    """Return that the process that runs a job takes too much memory, or an empty text."""
    job_type = find(job.job_type)
    if job_type is None or job.child_pid is None or resident_mib(job.child_pid) <= job_type.memory_limit:
        return ""
    return f"memory limit of {job_type.memory_limit} MiB exceeded"


def out_of_time(job: Job, deadlines: Deadlines, steady: float) -> str:
    """Return why a run has had its time, or an empty text."""
    if deadlines.is_over(job, steady=steady):
        return "time limit exceeded, and the handler did not stop"
    if deadlines.must_stop(job, steady=steady):
        return "cancelled, and the handler did not stop"
    return ""


def insist_on_writes() -> None:
    """Raise ``DatabaseError`` while SQLite is locked: a child that is late may only be waiting to write its result."""
    with transaction.atomic():
        pass


def end_children(held: list[Job], busy: list[int], ended: dict[int, str], why: Callable[[Job], str]) -> None:
    """End the busy children for whose job there is a reason, and keep the reasons."""
    for job in held:
        if job.child_pid in busy and job.child_pid not in ended and (reason := why(job)):
            ended[job.child_pid] = reason
            end_child(job.child_pid, f"job {job.pk}: {reason}")


def busy_children() -> list[int]:
    """Return the process ids of the children that run a task now."""
    for _ in range(3):
        try:
            return sorted({r.worker_pid for r in worker_state.active_requests if r.worker_pid})
        except RuntimeError:
            continue  # the main thread changed the set while it was read
    return []


def end_child(pid: int, reason: str) -> None:
    """Kill a child of this process; the worker starts a new one in its place."""
    log.warning("Ending child process %d: %s.", pid, reason)
    with suppress(ProcessLookupError):  # it has just ended by itself
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
    wrapper = connections[DEFAULT_DB_ALIAS]  # what ``connection`` stands for, which is of another class itself
    if isinstance(wrapper, SqliteWrapper):
        wrapper.wait_at_most(BUSY_SECONDS)


def give_back(instance: str) -> None:
    """Give back all that a worker still holds: it stops by plan."""
    held = list(Job.objects.active().filter(instance=instance))
    end_lost(held, now=timezone.now(), reason=STOPPED, planned=True)


_keeper: Keeper | None = None


@worker_ready.connect  # type: ignore[untyped-decorator]
def start_keeping(sender: Any, **_: Any) -> None:
    """Begin when the worker's parent is ready (celery.signals.worker_ready)."""
    global _keeper  # noqa: PLW0603  (one worker per process)
    _keeper = Keeper(sender.hostname)
    _keeper.start()
    LifeSign(sender.hostname.partition("@")[0], sender.hostname).start()
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
