"""The power is off over due times: each rule for missed ones, and a schedule of a second that was off for a week."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults.harness import FaultStack
from tests.faults.slots import assert_each_once, moment, outcomes, repeat, slots_of
from tests.stack import wait_for

pytestmark = pytest.mark.faults

PERIOD = 3.0  # seconds
OFF = 15.0  # seconds: five due times, of which the last ones are not yet missed (5 s)
WEEK = timedelta(days=7)


def test_each_rule(any_stack: FaultStack, report: Callable[[str], None]) -> None:
    stack = any_stack
    rules = {rule: repeat(stack, PERIOD, misfire=rule, overlap="allow") for rule in ("once", "skip", "all")}
    wait_for(lambda: all(slots_of(stack, each) for each in rules.values()))
    stack.cut_power()
    off = time.monotonic()
    wait_for(lambda: time.monotonic() - off > OFF, OFF + 5)
    stack.start()
    wait_for(lambda: all(len(slots_of(stack, each)) > 3 for each in rules.values()))

    told = {}
    for rule, schedule_id in rules.items():
        slots = assert_each_once(stack, schedule_id, PERIOD)
        told[rule] = outcomes(slots)
        assert {slot.reason for slot in slots if slot.outcome != "fired"} == {"missed"}
    assert told["once"]["caught_up"] == 1
    assert told["once"]["skipped"] >= 2
    assert "caught_up" not in told["skip"]
    assert told["skip"]["skipped"] >= 3
    assert told["all"]["caught_up"] >= 3
    assert "skipped" not in told["all"]
    report(f"off for {OFF:.0f} s over due times every {PERIOD:.0f} s: {told}")


def test_a_week(stack: FaultStack, report: Callable[[str], None]) -> None:
    schedule_id = repeat(stack, 1, overlap="allow")
    wait_for(lambda: slots_of(stack, schedule_id))
    stack.cut_power()
    put_back(stack, WEEK)
    stack.start(wait=False)
    stack.wait_until_ready()
    wait_for(lambda: any(slot.count > 1 for slot in slots_of(stack, schedule_id)), 30)

    slots = assert_each_once(stack, schedule_id, 1)
    (gap,) = [slot for slot in slots if slot.count > 1]
    assert (gap.outcome, gap.reason) == ("skipped", "missed")
    assert gap.until - gap.due > WEEK - timedelta(minutes=1)
    assert [slot.outcome for slot in slots if slot.outcome == "caught_up"] == ["caught_up"]
    report(f"a second's schedule off for a week: one row for {gap.count:,} due times")


def put_back(stack: FaultStack, span: timedelta) -> None:
    """Let everything that the schedules' rows tell have been so much earlier."""
    path = Path(stack.environment["RUNNER_DATA_DIR"]) / "pirunner.sqlite3"
    tables = {
        "schedules_schedule": ("first_at", "covered_until", "next_due_at", "created_at"),
        "schedules_occurrence": ("due_at", "until_due_at", "recorded_at"),
    }
    with closing(sqlite3.connect(path, timeout=20)) as file:
        for table, columns in tables.items():
            for pk, *values in file.execute(f"SELECT id, {', '.join(columns)} FROM {table}").fetchall():  # noqa: S608
                earlier = [str((moment(value) - span).replace(tzinfo=None)) for value in values]
                marks = ", ".join(f"{column} = ?" for column in columns)
                file.execute(f"UPDATE {table} SET {marks} WHERE id = ?", [*earlier, pk])  # noqa: S608
        file.commit()
