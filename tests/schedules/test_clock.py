"""The clock's rounds with a real database: only the leader does anything."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from jobs.models import Job
from pirunner.celery import app
from pirunner.doorbell import Ring
from schedules import clock as clock_module
from schedules.clock import TICK_SECONDS, Clock
from schedules.patience import Patience
from schedules.rounds import Rounds, Sweep
from tests.jobs.making import SLOW, active, delayed, register, waiting

pytestmark = pytest.mark.usefixtures("committed_db")


class Trusting(Patience):
    """Has watched long enough."""

    def is_over(self, **_: float) -> bool:
        return True


@pytest.fixture
def new_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Clock]]:
    """Make clocks, one of which leads, and end them."""
    register(monkeypatch, SLOW)
    clocks: list[Clock] = []

    def make() -> Clock:
        clocks.append(Clock(app=app))
        return clocks[-1]

    yield make
    for clock in clocks:
        clock.close()


@pytest.fixture
def clock(new_clock: Callable[[], Clock]) -> Clock:
    return new_clock()


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


# -- what a round does --------------------------------------------------------------------------------------------


def test_a_due_job_becomes_waiting(clock: Clock, rings: list[Ring]) -> None:
    job = delayed(due_at=timezone.now())

    clock.tick()

    assert state_of(job) == "waiting"
    assert [ring.row_id for ring in rings if ring.task == "jobs.slow"] == [job.pk]


def test_an_unheard_job_is_rung_for(clock: Clock, rings: list[Ring]) -> None:
    job = waiting(since=timezone.now() - timedelta(seconds=60))

    clock.tick()

    assert Ring("jobs.slow", job.pk, "jobs", again=True) in rings


def test_a_new_clock_takes_nothing_back_at_first(clock: Clock) -> None:
    job = active(lease_expires_at=timezone.now() - timedelta(seconds=1))

    clock.tick()

    assert state_of(job) == "active"


def test_a_clock_that_has_watched_takes_back_what_dead_workers_held(clock: Clock) -> None:
    clock._patience = Trusting()
    job = active(lease_expires_at=timezone.now() - timedelta(seconds=1))

    clock.tick()

    assert state_of(job) == "waiting"


def test_a_tick_tells_when_the_next_is_due(clock: Clock) -> None:
    assert 0.0 <= clock.tick() <= TICK_SECONDS


# -- the leader and the others ------------------------------------------------------------------------------------


def test_a_standby_does_nothing_until_it_leads(new_clock: Callable[[], Clock]) -> None:
    leader, standby = new_clock(), new_clock()
    leader.tick()
    job = delayed(due_at=timezone.now())

    assert standby.tick() == TICK_SECONDS
    assert state_of(job) == "delayed"

    leader.close()
    standby.tick()
    assert state_of(job) == "waiting"


def test_a_standby_shows_a_sign_of_life_too(new_clock: Callable[[], Clock], monkeypatch: pytest.MonkeyPatch) -> None:
    leader, standby = new_clock(), new_clock()
    leader.tick()
    shown: list[int] = []
    monkeypatch.setattr(clock_module, "show_tick", lambda: shown.append(1))

    standby.tick()

    assert shown == [1]


# -- a database that does not answer ------------------------------------------------------------------------------


def test_one_duty_that_fails_leaves_the_others_to_be_done(clock: Clock) -> None:
    done: list[str] = []

    def fail(_now: Any) -> int:
        raise DatabaseError("database is locked")

    def do(_now: Any) -> int:
        done.append("done")
        return 0

    clock._rounds = Rounds((Sweep(run=fail), Sweep(run=do)))

    clock.tick()
    clock.tick()

    assert done == ["done", "done"]


def test_leases_are_not_trusted_after_a_round_in_which_the_database_refused_something(clock: Clock) -> None:
    told: list[bool] = []

    class Watching(Patience):
        def is_over(self, *, writable: bool = True, **_: float) -> bool:
            told.append(writable)
            return False

    def fail(_now: Any) -> int:
        raise DatabaseError("database or disk is full")

    clock._patience = Watching()
    clock._rounds = Rounds((Sweep(run=fail),))
    clock.tick()
    clock._rounds = Rounds(())
    clock.tick()
    clock.tick()

    assert told == [True, False, True]


def test_without_a_database_there_is_no_leader_and_no_crash(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def hold(self) -> bool:
            raise DatabaseError("the server is away")

        def release(self) -> None:
            pass

    clock._lock.release()
    monkeypatch.setattr(clock, "_lock", Broken())

    assert clock.tick() == TICK_SECONDS


def test_it_is_what_celery_beat_is_told_to_use() -> None:
    assert app.conf.beat_scheduler == "schedules.clock:Clock"


def test_no_transaction_is_left_open_after_a_tick(clock: Clock) -> None:
    clock.tick()

    assert not connection.in_atomic_block
