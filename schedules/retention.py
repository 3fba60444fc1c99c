"""Retention: what schedules did is kept for some time; what belongs to deleted ones goes little by little."""

from datetime import datetime

from django.conf import settings

from pirunner.times import days_before
from schedules.models import Occurrence, Schedule

BATCH = 2000


def prune_occurrences(now: datetime) -> int:
    """Remove a batch of the rows that are no longer kept, oldest first; return how many."""
    limit = days_before(now, settings.OCCURRENCE_RETENTION_DAYS)
    oldest = Occurrence.objects.filter(recorded_at__lt=limit).order_by("recorded_at")
    too_old = list(oldest.values_list("pk", flat=True)[:BATCH])
    if too_old:
        Occurrence.objects.filter(pk__in=too_old).delete()
    return len(too_old)


def prune_deleted(now: datetime) -> int:
    """Remove a batch of what belongs to deleted schedules, and those of which nothing is left; return how much."""
    del now
    schedule = Schedule.objects.filter(deleted_at__isnull=False).order_by("deleted_at").first()
    if schedule is None:
        return 0
    rows = list(Occurrence.objects.filter(schedule=schedule).values_list("pk", flat=True)[:BATCH])
    if rows:
        Occurrence.objects.filter(pk__in=rows).delete()
    else:
        schedule.delete()
    return len(rows) + 1
