"""How long runs may go on, whatever the time of day does meanwhile."""

from datetime import timedelta

import pytest

from jobs.deadlines import CANCEL_GRACE, Deadlines
from jobs.models import Job
from tests.jobs.making import NOON

HOUR = timedelta(hours=1)
LIMIT = 310.0  # seconds


def run(number: int = 1, **fields: object) -> Job:
    return Job(pk=1, run=number, started_at=NOON, deadline_at=NOON + timedelta(seconds=LIMIT), **fields)


@pytest.mark.parametrize("step", [timedelta(0), HOUR, -HOUR, 5 * 365 * 24 * HOUR])
@pytest.mark.parametrize(("passed", "over"), [(0.0, False), (LIMIT - 1, False), (LIMIT, True)])
def test_a_run_has_its_seconds_wherever_the_time_of_day_goes(step: timedelta, passed: float, over: bool) -> None:
    deadlines = Deadlines()
    deadlines.look([run()], now=NOON, steady=1000.0)

    deadlines.look([run()], now=NOON + step, steady=1000.0 + passed)

    assert deadlines.is_over(run(), steady=1000.0 + passed) is over


@pytest.mark.parametrize("step", [timedelta(0), HOUR, -HOUR])
@pytest.mark.parametrize(("passed", "over"), [(0.0, False), (5.0, False), (5.1, True)])
def test_a_cancelled_run_has_its_grace_wherever_the_time_of_day_goes(
    step: timedelta, passed: float, over: bool
) -> None:
    deadlines = Deadlines()
    cancelled = run(cancel_requested_at=NOON)
    deadlines.look([cancelled], now=NOON, steady=1000.0)

    deadlines.look([cancelled], now=NOON + step, steady=1000.0 + passed)

    assert deadlines.must_stop(cancelled, steady=1000.0 + passed) is over


def test_the_grace_counts_from_the_cancel_but_is_never_longer() -> None:
    deadlines = Deadlines()
    late = run(1, cancel_requested_at=NOON - CANCEL_GRACE)
    ahead = run(2, cancel_requested_at=NOON + HOUR)
    deadlines.look([late, ahead], now=NOON, steady=0.0)

    assert deadlines.must_stop(late, steady=0.1)
    assert not deadlines.must_stop(ahead, steady=5.0)
    assert deadlines.must_stop(ahead, steady=5.1)


def test_the_next_run_of_a_job_has_its_own_time() -> None:
    deadlines = Deadlines()
    deadlines.look([run(1)], now=NOON, steady=0.0)
    deadlines.look([run(2)], now=NOON, steady=LIMIT)

    assert not deadlines.is_over(run(2), steady=LIMIT)
    assert deadlines._run_until.keys() == {(1, 2)}


def test_nobody_is_late_until_a_moment_after_the_database_takes_writes_again() -> None:
    deadlines = Deadlines()
    late = run(cancel_requested_at=NOON)
    deadlines.look([late], now=NOON, steady=0.0)

    deadlines.put_off(steady=LIMIT + 20)

    assert not deadlines.is_over(late, steady=LIMIT + 24)
    assert not deadlines.must_stop(late, steady=LIMIT + 24)
    assert deadlines.is_over(late, steady=LIMIT + 25)
    assert deadlines.must_stop(late, steady=LIMIT + 26)


def test_a_run_without_a_deadline_is_never_over() -> None:
    deadlines = Deadlines()
    endless = Job(pk=1, run=1, started_at=NOON)
    deadlines.look([endless], now=NOON, steady=0.0)

    assert not deadlines.is_over(endless, steady=1e12)
    assert not deadlines.must_stop(endless, steady=1e12)
