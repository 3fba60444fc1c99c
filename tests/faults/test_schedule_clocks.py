"""Two clocks at once, and a clock that is killed again and again: each due time has exactly one row.

``FAULTS_AT_LENGTH=1`` makes them as long as the promises are stated: 60 s, and 30 kills in 5 minutes.
"""

import os
import random
import time
from collections.abc import Callable

import pytest

from tests.faults.harness import FaultStack
from tests.faults.slots import assert_each_once, outcomes, repeat
from tests.stack import wait_for

pytestmark = pytest.mark.faults

AT_LENGTH = os.environ.get("FAULTS_AT_LENGTH") == "1"
TOGETHER = 60.0 if AT_LENGTH else 14.0  # seconds
KILLS = 30 if AT_LENGTH else 8
BETWEEN = (1.0, 19.0) if AT_LENGTH else (0.5, 4.0)  # seconds
LONGEST_TAKE_OVER = 20.0  # seconds


def test_two_clocks(any_stack: FaultStack, report: Callable[[str], None]) -> None:
    stack = any_stack
    with stack.another_clock():
        wait_for(lambda: stack.log().count("beat: Starting...") == 2, 30)
        schedule_id = repeat(stack, 2, overlap="allow")
        began = time.monotonic()
        wait_for(lambda: time.monotonic() - began > TOGETHER / 2, TOGETHER)
        old = stack.kill_process("clock")
        stack.wait_until_replaced("clock", old)
        wait_for(lambda: time.monotonic() - began > TOGETHER, TOGETHER)

    slots = assert_each_once(stack, schedule_id, 2)
    assert sum(slot.count for slot in slots) >= TOGETHER // 2 - 2
    report(f"{TOGETHER:.0f} s with two clocks, one of them killed: {outcomes(slots)}")


@pytest.mark.timeout(600)
def test_killed_again_and_again(stack: FaultStack, report: Callable[[str], None]) -> None:
    chance = random.Random(20261122)
    schedules = {
        repeat(stack, 1, misfire="skip", overlap="allow"): 1.0,
        repeat(stack, 2, misfire="all", overlap="allow"): 2.0,
        repeat(stack, 3, misfire="once"): 3.0,
    }
    began = time.monotonic()
    for _ in range(KILLS):
        pause, since = chance.uniform(*BETWEEN), time.monotonic()
        wait_for(lambda: time.monotonic() - since > pause, 60)  # noqa: B023
        stack.wait_until_replaced("clock", stack.kill_process("clock"), LONGEST_TAKE_OVER)
    took, since = time.monotonic() - began, time.monotonic()
    wait_for(lambda: time.monotonic() - since > 6, 10)

    told = []
    for schedule_id, seconds in schedules.items():
        slots = assert_each_once(stack, schedule_id, seconds)
        assert sum(slot.count for slot in slots) >= took / seconds - 1
        told.append(f"every {seconds:.0f} s {outcomes(slots)}")
    report(f"{KILLS} kills in {took:.0f} s: {'; '.join(told)}")
