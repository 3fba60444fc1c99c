"""What a schedule needs is away when it is due: Redis, or the database."""

import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.harness import FaultStack
from tests.faults.locks import locked
from tests.faults.slots import assert_each_once, outcomes, repeat, slots_of
from tests.stack import wait_for

pytestmark = pytest.mark.faults

LONGEST_CATCH_UP = 20.0  # seconds after Redis is back
LOCKED = 15.0  # seconds


def test_redis_is_away_when_it_is_due(stack: FaultStack, report: Callable[[str], None]) -> None:
    schedule_id = repeat(stack, 4)
    redis = stack.group("redis")[0]
    redis.send_signal(signal.SIGSTOP)
    wait_for(lambda: len(slots_of(stack, schedule_id)) == 2, 15)
    (first, second) = slots_of(stack, schedule_id)
    assert first.outcome == "fired"
    assert (second.outcome, second.reason) == ("skipped", "overlap")
    redis.send_signal(signal.SIGCONT)
    back = time.monotonic()

    assert stack.finish(str(first.job_id), LONGEST_CATCH_UP)["state"] == "completed"
    took = time.monotonic() - back
    assert_each_once(stack, schedule_id, 4)
    report(f"the job of a due time without Redis is done {took:.1f} s after its return")


def test_the_database_is_locked_when_it_is_due(stack: FaultStack, report: Callable[[str], None]) -> None:
    schedules = {repeat(stack, seconds, overlap="allow"): seconds for seconds in (2.0, 40.0)}
    wait_for(lambda: slots_of(stack, next(iter(schedules))))
    with locked(stack):
        began = time.monotonic()
        wait_for(lambda: time.monotonic() - began > LOCKED, LOCKED + 5)
    freed = time.monotonic()
    frequent = next(iter(schedules))
    wait_for(lambda: time.monotonic() - freed > 6, 10)

    slots = assert_each_once(stack, frequent, 2.0)
    assert sum(slot.count for slot in slots) >= (LOCKED + 6) / 2 - 1
    report(f"locked for {LOCKED:.0f} s over due times every 2 s: {outcomes(slots)}")
