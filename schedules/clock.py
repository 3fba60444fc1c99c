"""The clock: celery-beat's process, which looks at the rows every second and repairs what went wrong.

It promotes what has become due, rings again for what waits unheard, takes back what dead workers held, and rings
for callbacks whose time has come. Everything is a bounded batch and harmless to run twice; only the leader does it.
"""

import logging
import os
import socket
import time
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, close_old_connections, connection, connections, transaction
from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler

from pirunner.lifesign import tick as show_tick
from pirunner.signs import LifeSign
from pirunner.sqlite.base import DatabaseWrapper as SqliteWrapper
from schedules.firing import next_due_at
from schedules.leader import leader_lock
from schedules.mirror import TASK
from schedules.outage import OutageWatch
from schedules.patience import Patience
from schedules.rounds import Rounds

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
LOCK_SECONDS = 2.0


class Clock(DatabaseScheduler):  # type: ignore[misc]  # (django-celery-beat is untyped)
    """celery-beat's scheduler: our sweeps first, then the owner's own periodic tasks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._lock = leader_lock()
        self._patience = Patience()
        self._rounds = Rounds()
        self._outages = OutageWatch(settings.RUNNER_DATA_DIR / "run" / "clock.alive")
        self._leads = False
        self._all_done = True
        self._life_sign = LifeSign("clock", f"{socket.gethostname()}:{os.getpid()}")
        super().__init__(*args, **kwargs)
        self._life_sign.start()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Do one round; return the seconds until the next. A standby only waits for the leadership."""
        began = time.monotonic()
        show_tick()
        if not self._lead():
            return TICK_SECONDS
        self._sweep()
        own = float(super().tick(*args, **kwargs))
        pause = min(own, TICK_SECONDS) - (time.monotonic() - began)
        return max(0.0, min(pause, _seconds_until_due()))

    def enabled_models_qs(self) -> Any:
        """Return the owner's own periodic tasks, those of all hours; schedules are fired by ``schedules.firing``.

        django-celery-beat leaves out crontabs whose hour is not near, and then fires late ones twice.
        """
        return self.Model.objects.enabled().exclude(task=TASK)

    def close(self) -> None:
        """Give up the leadership and stop."""
        self._life_sign.stop()
        if self._leads:
            self._outages.end()
        self._lock.release()
        super().close()

    def _lead(self) -> bool:
        try:
            leads = self._lock.hold()
            if leads and not self._leads:
                self._outages.begin(now=timezone.now(), steady=time.monotonic())
        except DatabaseError as error:
            log.warning("The database is away, and with it the leadership: %s", error)
            return False
        self._leads = leads
        return leads

    def _sweep(self) -> None:
        writable = _takes_writes() and self._all_done
        now = timezone.now()
        trust = self._patience.is_over(wall=now.timestamp(), steady=time.monotonic(), writable=writable)
        self._all_done = self._rounds.go(now=now, steady=time.monotonic(), trust_leases=trust)
        try:
            self._outages.go(steady=time.monotonic())
        except (DatabaseError, OSError) as error:
            log.warning("The outage is reported in a later round: %s", error)
        close_old_connections()


def _seconds_until_due() -> float:
    """Return how long the next schedule's due time is away."""
    try:
        due = next_due_at()
    except DatabaseError:
        return TICK_SECONDS
    return TICK_SECONDS if due is None else (due - timezone.now()).total_seconds()


def _takes_writes() -> bool:
    """Return whether the database lets a transaction begin: on SQLite that takes the write lock (and writes nothing).

    Asked every round, because a lock that is held for long may be free again in the round that would take jobs back.
    """
    try:
        _wait_briefly()
        with transaction.atomic():
            return True
    except DatabaseError as error:
        log.warning("The database takes no writes at present: %s", error)
        connection.close()
        return False


def _wait_briefly() -> None:
    """Wait for SQLite's lock less long than the supervisor waits for a sign of the clock."""
    connection.ensure_connection()
    wrapper = connections[DEFAULT_DB_ALIAS]
    if isinstance(wrapper, SqliteWrapper):
        wrapper.wait_at_most(LOCK_SECONDS)
