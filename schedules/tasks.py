"""Celery's entry point of the schedules."""

from celery import shared_task

from schedules.firing import run_now
from schedules.mirror import TASK
from schedules.selectors import get_schedule


@shared_task(name=TASK)  # type: ignore[untyped-decorator]
def run_schedule(schedule_id: str) -> str:
    """Submit a job of a schedule at once: "run selected tasks" of django-celery-beat's admin."""
    return str(run_now(get_schedule(schedule_id).pk, by="django-celery-beat's admin").pk)
