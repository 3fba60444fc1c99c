"""The rounds: what is done how often."""

from datetime import UTC, datetime

import pytest
from django.db import OperationalError

from schedules.rounds import Rounds, Sweep

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Duty:
    """Something to do that finds each time what it is told to."""

    def __init__(self, *found: int | Exception) -> None:
        self._found = list(found)
        self.done_at: list[float] = []

    def __call__(self, now: datetime) -> int:
        self.done_at.append((now - NOW).total_seconds())
        found = self._found.pop(0) if self._found else 0
        if isinstance(found, Exception):
            raise found
        return found

    __name__ = "duty"


def turn(sweep: Sweep, seconds: int, *, trust: bool = True) -> None:
    """Let the clock turn once a second."""
    rounds = Rounds((sweep,))
    for second in range(seconds):
        moment = datetime.fromtimestamp(NOW.timestamp() + second, UTC)
        rounds.go(now=moment, steady=1000.0 + second, trust_leases=trust)


def test_a_duty_is_done_every_so_many_seconds():
    duty = Duty()

    turn(Sweep(run=duty, every=10), 31)

    assert duty.done_at == [0, 10, 20, 30]


def test_it_comes_sooner_again_as_long_as_there_is_something_to_do():
    duty = Duty(200, 200, 7, 0)

    turn(Sweep(run=duty, every=60, more=10), 95)

    assert duty.done_at == [0, 10, 20, 30, 90]


def test_what_the_database_refused_is_tried_in_the_next_round():
    duty = Duty(OperationalError("database is locked"), 0)

    turn(Sweep(run=duty, every=60), 10)

    assert duty.done_at == [0, 1]


def test_a_duty_with_a_fault_is_tried_again_later_and_ends_nobody():
    duty = Duty(ValueError("a fault of ours"), 0)

    turn(Sweep(run=duty), 13)

    assert duty.done_at == [0, 10, 11, 12]


@pytest.mark.parametrize(("trust", "times"), [(True, 3), (False, 0)])
def test_some_duties_wait_for_a_clock_that_can_be_trusted(trust: bool, times: int):
    duty = Duty()

    turn(Sweep(run=duty, needs_trust=True), 3, trust=trust)

    assert len(duty.done_at) == times
