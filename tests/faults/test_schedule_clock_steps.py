"""The time of day jumps: due times that were fired are not fired again, and the schedule goes on."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.harness import FaultStack
from tests.faults.slots import outcomes, repeat, slots_of
from tests.faults.test_clock_steps import TimeOfDay, time_of_day
from tests.stack import wait_for

pytestmark = pytest.mark.faults

__all__ = ["time_of_day"]

HOUR = 3600
LONGEST_SILENCE = 20.0  # seconds: the clock looks for schedules that are ahead of the time every ten


@pytest.fixture
def stack(tmp_path: Path, time_of_day: TimeOfDay) -> Iterator[FaultStack]:
    with FaultStack(tmp_path, **time_of_day.environment()) as running:
        yield running


def test_an_hour_ahead_and_back(stack: FaultStack, time_of_day: TimeOfDay, report: Callable[[str], None]) -> None:
    schedule_id = repeat(stack, 2, overlap="allow")
    wait_for(lambda: len(slots_of(stack, schedule_id)) >= 2)

    time_of_day.step_to(HOUR)
    wait_for(lambda: any(slot.outcome == "caught_up" for slot in slots_of(stack, schedule_id)))
    (gap,) = [slot for slot in slots_of(stack, schedule_id) if slot.count > 1]
    assert (gap.outcome, gap.reason) == ("skipped", "missed")
    assert abs(gap.count * 2 - HOUR) < 60

    time_of_day.step_to(0)
    back, began = datetime.now(UTC), time.monotonic()
    wait_for(lambda: fired_between(stack, schedule_id, back, back + timedelta(minutes=5)), LONGEST_SILENCE)
    took = time.monotonic() - began
    wait_for(lambda: fired_between(stack, schedule_id, back, back + timedelta(minutes=5)) >= 3, 10)

    slots = slots_of(stack, schedule_id)
    assert len({slot.due for slot in slots}) == len(slots)
    jobs = stack.rows("SELECT id FROM jobs_job WHERE schedule_id = %s", schedule_id)
    assert sorted(slot.job_id for slot in slots if slot.job_id) == sorted(job_id for (job_id,) in jobs)
    report(f"an hour ahead and back: goes on {took:.1f} s after the step back, {outcomes(slots)}")


def fired_between(stack: FaultStack, schedule_id: str, first: datetime, last: datetime) -> int:
    """Return how many due times between two moments were fired."""
    return sum(first < slot.due < last and slot.outcome == "fired" for slot in slots_of(stack, schedule_id))
