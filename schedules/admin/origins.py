"""How the pages of jobs find the schedules that their jobs come from."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.urls import reverse

from jobs.admin.origins import Origin, tell_origins
from jobs.models import Job
from schedules.models import Occurrence, Schedule

_BESIDE = timedelta(seconds=60)


def tell() -> None:
    """Let the pages of jobs find them."""
    tell_origins(find_origins, find_due_time)


def find_origins(schedule_ids: Collection[str]) -> dict[str, Origin]:
    """Return those of these schedules that still are there, by their public ids."""
    found = Schedule.objects.kept().filter(public_id__in=schedule_ids).only("pk", "public_id", "name")
    return {
        schedule.public_id: Origin(
            schedule.name or f"{schedule.public_id[:14]}…",
            reverse("admin:schedules_schedule_change", args=[schedule.pk]),
        )
        for schedule in found
    }


def find_due_time(job_id: int) -> datetime | None:
    """Return the due time that a job was submitted for: its row was recorded when the job was accepted."""
    accepted = Job.objects.filter(pk=job_id).values_list("created_at", flat=True).first()
    if accepted is None:
        return None
    around = (accepted - _BESIDE, accepted + _BESIDE)
    rows = Occurrence.objects.filter(recorded_at__range=around, job_id=job_id)
    return rows.values_list("due_at", flat=True).first()
