"""What became of the due times of a schedule, as its rows tell it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.faults.harness import FaultStack


@dataclass(frozen=True)
class Slot:
    """A row: one due time, or neighbours that were skipped for one reason."""

    due: datetime
    until: datetime
    count: int
    outcome: str
    reason: str
    job_id: int | None


def repeat(stack: FaultStack, seconds: float, job_type: str = "ping", **rules: Any) -> str:
    """Make a schedule of so many seconds, and return its id."""
    return stack.submit(job_type, schedule={"everySeconds": seconds, **rules})


def slots_of(stack: FaultStack, schedule_id: str) -> list[Slot]:
    """Return the rows of a schedule in the order of their due times, but for those of "run now"."""
    rows = stack.rows(
        "SELECT o.due_at, o.until_due_at, o.count, o.outcome, o.reason, o.job_id FROM schedules_occurrence o"
        " JOIN schedules_schedule s ON s.id = o.schedule_id"
        " WHERE s.public_id = %s AND o.reason <> 'run_now' ORDER BY o.due_at",
        schedule_id,
    )
    return [Slot(moment(row[0]), moment(row[1]), *row[2:]) for row in rows]


def first_at(stack: FaultStack, schedule_id: str) -> datetime:
    """Return the anchor of an interval."""
    ((found,),) = stack.rows("SELECT first_at FROM schedules_schedule WHERE public_id = %s", schedule_id)
    return moment(found)


def assert_each_once(stack: FaultStack, schedule_id: str, seconds: float) -> list[Slot]:
    """Check that every due time from the first one on has exactly one row, and every job one row; return the rows."""
    period, slots = timedelta(seconds=seconds), slots_of(stack, schedule_id)
    assert slots[0].due == first_at(stack, schedule_id)
    for slot in slots:
        assert slot.until - slot.due == (slot.count - 1) * period, slot
        assert (slot.outcome == "skipped") == (slot.job_id is None), slot
        assert slot.count == 1 or slot.outcome == "skipped", slot
        assert bool(slot.reason) == (slot.outcome != "fired"), slot
    for earlier, later in pairwise(slots):
        assert later.due - earlier.until == period, (earlier, later)
    jobs = stack.rows("SELECT id FROM jobs_job WHERE schedule_id = %s", schedule_id)
    assert sorted(slot.job_id for slot in slots if slot.job_id) == sorted(job_id for (job_id,) in jobs)
    return slots


def outcomes(slots: list[Slot]) -> dict[str, int]:
    """Return how many due times had which outcome."""
    return {
        name: sum(slot.count for slot in slots if slot.outcome == name) for name in sorted({s.outcome for s in slots})
    }


def moment(value: Any) -> datetime:
    """Return a moment as either database gives it."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)
