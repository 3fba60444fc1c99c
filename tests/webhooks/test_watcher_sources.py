"""The watcher's places, sources and stop; what wakes whom."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection

from jobs.models import LogLine
from tests.jobs.making import active
from tests.parts import wait_for
from webhooks import watcher as module
from webhooks.models import Event
from webhooks.watcher import EVENTS, EVERY_JOB, CannotWait, Waiter, Watcher

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
committed = pytest.mark.usefixtures("committed_db")
LOG = "log"


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watching = Watcher(most_waiters=3)
    watching.add_source(EVENTS, Event)
    watching.add_source(LOG, LogLine)
    yield watching
    watching.stop()


def happen(job_id: int) -> None:
    Event.objects.create(job_id=job_id, kind="job.started", at=AT, payload="{}")


def happen_elsewhere(job_id: int) -> None:
    """Let something happen in this thread, which leaves no connection behind."""
    happen(job_id)
    connection.close()


def seconds_of(call: Callable[[], Any]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def settle(watcher: Watcher, job_id: int, *sources: str) -> Waiter:
    """Return a waiter who is past the watcher's first look, which wakes everybody once."""
    waiter = watcher.enter(job_id, *sources)
    wait_for(lambda: watcher._seen.keys() >= set(sources))
    waiter.wait(0)
    return waiter


def is_woken(waiter: Waiter, seconds: float = 10.0) -> bool:
    return seconds_of(lambda: waiter.wait(seconds)) < seconds


@committed
def test_an_event_wakes_who_waits_for_its_job_or_for_every_job(watcher: Watcher):
    waiters = [settle(watcher, 7, EVENTS), settle(watcher, EVERY_JOB, EVENTS)]

    happen(7)

    assert all(is_woken(waiter) for waiter in waiters)


@committed
def test_news_of_other_jobs_and_other_sources_wake_nobody(watcher: Watcher):
    job = active()
    waiters = [settle(watcher, job.pk + 1, EVENTS, LOG), settle(watcher, job.pk, EVENTS)]

    happen(job.pk + 2)
    LogLine.objects.create(job=job, run=1, at=AT, level="info", message="a line")

    assert not any(is_woken(waiter, 0.3) for waiter in waiters)


@committed
def test_a_log_line_wakes_who_waits_for_it(watcher: Watcher):
    job = active()
    waiter = settle(watcher, job.pk, EVENTS, LOG)

    LogLine.objects.create(job=job, run=1, at=AT, level="info", message="a line")

    assert is_woken(waiter)


@committed
def test_nothing_is_missed_between_entering_and_the_first_look(watcher: Watcher):
    """Whatever the moment, an event after the waiter's own first read wakes it."""
    for pause in (0.0, 0.01, 0.03, 0.049, 0.051, 0.07):
        already = Event.objects.count()
        threading.Timer(pause, happen_elsewhere, [7]).start()

        assert watcher.read_until(7, Event.objects.count, already.__lt__, 5) == already + 1


@committed
def test_a_wake_up_is_prompt(watcher: Watcher, capsys: pytest.CaptureFixture[str]):
    took = []
    waiter = settle(watcher, 7, EVENTS)
    for _ in range(10):
        happen(7)
        took.append(seconds_of(lambda: waiter.wait(10)))

    took.sort()
    with capsys.disabled():
        print(f"\nwake-up: median {took[5] * 1000:.0f} ms, worst {took[-1] * 1000:.0f} ms")
    assert took[5] < 0.5


@committed
def test_the_one_too_many_reads_once_and_does_not_wait(watcher: Watcher):
    places = [watcher.enter(7, EVENTS, LOG) for _ in range(3)]

    assert seconds_of(lambda: watcher.read_until(7, lambda: False, bool, 20)) < 5
    with pytest.raises(CannotWait):
        watcher.enter(7, EVENTS)

    watcher.leave(places[0])
    watcher.leave(places[0])
    watcher.enter(7, EVENTS)
    with pytest.raises(CannotWait):
        watcher.enter(7, EVENTS)


@committed
def test_no_connection_is_held_while_waiting(watcher: Watcher):
    held: list[bool] = []
    waiter = watcher.enter(7, EVENTS)
    watcher.look(Event.objects.count)
    held.append(connection.connection is not None)
    Event.objects.count()
    waiter.wait(0.01)
    held.append(connection.connection is not None)

    assert held == [False, False]


@committed
def test_a_stop_wakes_everybody_and_lets_nobody_in(watcher: Watcher):
    ended: list[bool] = []
    waiting = [
        threading.Thread(target=lambda: ended.append(watcher.read_until(7, lambda: False, bool, 60))) for _ in range(3)
    ]
    for thread in waiting:
        thread.start()
    wait_for(lambda: watcher._waiting == 3)

    watcher.stop()

    for thread in waiting:
        thread.join(5)
    assert ended == [False, False, False]
    with pytest.raises(CannotWait):
        watcher.enter(7, EVENTS)


@committed
def test_a_database_that_was_away_loses_no_wake_up(watcher: Watcher, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "ERROR_SECONDS", 0.1)
    waiter = settle(watcher, 7, EVENTS)
    look_at = watcher._look_at
    away = threading.Event()

    def fail(*_: Any) -> None:
        away.set()
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(watcher, "_look_at", fail)
    assert away.wait(5)
    happen(7)
    monkeypatch.setattr(watcher, "_look_at", look_at)

    assert is_woken(waiter)
