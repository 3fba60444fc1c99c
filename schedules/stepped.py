"""After the time of day was set back: due times that lie in the future again.

While the machine believed in a later time, due times were covered that have not come yet. Those that were fired keep
their rows, so they are not fired twice; those that were skipped get another chance when they come.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from schedules.models import Occurrence, Schedule
from schedules.recurrence import count_between, latest_at_or_before, next_after
from schedules.rules import Outcome
from schedules.timing import timing_of

log = logging.getLogger(__name__)

TOLERANCE = timedelta(seconds=60)
"""How far ahead a schedule may be without being mended: small steps only make it wait."""
BATCH = 500


def mend(now: datetime) -> int:
    """Let schedules that are ahead of the time go on from now; return how many."""
    ahead = Schedule.objects.kept().filter(covered_until__gt=now + TOLERANCE).values_list("pk", flat=True)[:BATCH]
    ids = list(ahead)
    for schedule_id in ids:
        try:
            _mend(schedule_id, now)
        except ValueError as error:
            log.warning("Schedule %d cannot be read and stays ahead of the time of day: %s", schedule_id, error)
    return len(ids)


def _mend(schedule_id: int, now: datetime) -> None:
    with transaction.atomic():
        schedule = Schedule.objects.select_for_update().kept().filter(pk=schedule_id).first()
        if schedule is None:
            return  # somebody has deleted it
        recurrence = timing_of(schedule).recurrence
        skipped = Occurrence.objects.filter(schedule=schedule, outcome=Outcome.SKIPPED.value, until_due_at__gt=now)
        skipped.filter(due_at__gt=now).delete()
        for row in skipped:
            # Its timing may have been another one: then the first of its due times is all that is known of it.
            row.until_due_at = max(latest_at_or_before(recurrence, now) or row.due_at, row.due_at)
            row.count = 1 + count_between(recurrence, row.due_at, row.until_due_at)
            row.save()
        schedule.covered_until = now
        schedule.next_due_at = next_after(recurrence, now) if schedule.enabled else None
        schedule.save(update_fields=["covered_until", "next_due_at"])
    log.warning("%s was ahead of the time of day, which has been set back; it goes on from now.", schedule)
