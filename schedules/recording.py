"""Recording what becomes of due times: their rows and the jobs of those that fire, in the caller's transaction."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F, OuterRef, Subquery

from jobs.services import Written, write_jobs
from pirunner.bulk import insert_many
from schedules.models import Occurrence, Schedule
from schedules.plan import Row
from schedules.work import new_job


@dataclass(frozen=True, slots=True)
class Planned:
    """What was decided about a schedule; ``taken`` as ``taken_of`` returns it."""

    schedule: Schedule
    rows: list[Row]
    taken: AbstractSet[datetime] = frozenset()


def taken_of(schedules: Sequence[Schedule], until: datetime) -> dict[int, AbstractSet[datetime]]:
    """Return, by schedule, the due times after ``covered_until`` that have rows already: see ``schedules.stepped``."""
    ahead = Occurrence.objects.filter(
        schedule_id__in=[schedule.pk for schedule in schedules],
        due_at__gt=F("schedule__covered_until"),
        due_at__lte=until,
    )
    taken: dict[int, AbstractSet[datetime]] = {}
    for schedule_id, due_at in ahead.values_list("schedule_id", "due_at"):
        taken[schedule_id] = taken.get(schedule_id, frozenset()) | {due_at}
    return taken


def record(plans: Sequence[Planned], now: datetime) -> Written:
    """Write the rows, and the jobs of those that fire.

    What is skipped as its neighbour was before ``covered_until`` is added to that row. Call it before
    ``covered_until`` moves on in the database.
    """
    extended = _extend([plan for plan in plans if plan.rows and not plan.rows[0].fires], now)
    kept = [(plan.schedule, row) for plan in plans for row in plan.rows[plan.schedule.pk in extended :]]
    occurrences = [_occurrence(schedule, row, now) for schedule, row in kept]
    fired = [number for number, (_, row) in enumerate(kept) if row.fires]
    written = write_jobs([new_job(*kept[number]) for number in fired], now)
    for number, (job, _) in zip(fired, written.jobs, strict=True):
        occurrences[number].job_id = job.pk
    insert_many(occurrences)
    return written


_EXTEND = "UPDATE schedules_occurrence SET until_due_at = %s, count = count + %s, recorded_at = %s WHERE id = %s"


def _extend(plans: Sequence[Planned], now: datetime) -> set[int]:
    """Let the latest rows be for the first of these too that are skipped as they were; return which schedules' were."""
    latest = _latest_of([plan.schedule for plan in plans])
    stored = connection.ops.adapt_datetimefield_value
    values, extended = [], set()
    for plan in plans:
        before, row = latest.get(plan.schedule.pk), plan.rows[0]
        divided = any(due < row.due_at for due in plan.taken)
        if before and not divided and (before.outcome, before.reason) == (row.outcome, row.reason):
            values.append((stored(row.until_due_at), row.count, stored(now), before.pk))
            extended.add(plan.schedule.pk)
    with connection.cursor() as cursor:
        cursor.executemany(_EXTEND, values)
    return extended


def _latest_of(schedules: Sequence[Schedule]) -> dict[int, Occurrence]:
    """Return the latest row of each schedule up to where it is covered."""
    if not schedules:
        return {}
    covered = Occurrence.objects.filter(schedule=OuterRef("pk"), due_at__lte=OuterRef("covered_until"))
    latest = Schedule.objects.filter(pk__in=[schedule.pk for schedule in schedules]).values_list(
        Subquery(covered.order_by("-due_at").values("pk")[:1]), flat=True
    )
    found = Occurrence.objects.filter(pk__in=[pk for pk in latest if pk])
    return {occurrence.schedule_id: occurrence for occurrence in found}


def _occurrence(schedule: Schedule, row: Row, now: datetime) -> Occurrence:
    return Occurrence(
        schedule=schedule,
        due_at=row.due_at,
        until_due_at=row.until_due_at,
        count=row.count,
        outcome=row.outcome.value,
        reason=row.reason.value,
        recorded_at=now,
    )
