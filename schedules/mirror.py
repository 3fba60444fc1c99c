"""The mirror: a schedule's ``PeriodicTask``, kept in step so that its owner finds it in django-celery-beat's admin.

It is only looked at: the clock leaves it out of beat's own heap (see ``schedules.clock``). What is written here does
not move ``PeriodicTasks.last_update``, so that a change of it is somebody else's: see ``schedules.beat_edits``.
"""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from celery.schedules import ParseException, crontab
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from schedules.models import Schedule
from schedules.recurrence import describe
from schedules.timing import timing_of

TASK = "schedules.run_now"
"""The Celery task that it names: django-celery-beat's "run selected tasks" submits a job of the schedule."""

_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
_LENGTHS = (240, 96, 124, 64, 64)
"""How many characters of each field ``CrontabSchedule`` keeps."""
_LARGEST = 2**31 - 1
_NOTE = "pirunner fires it; here it can be switched off and on."


def mirror(schedule: Schedule) -> None:
    """Write a schedule's ``PeriodicTask``, in the transaction that writes the schedule; the caller saves the latter."""
    task = schedule.periodic_task or PeriodicTask()
    for name, value in _wanted(schedule).items():
        setattr(task, name, value)
    # Where Celery knows no such crontab, it is shown by its next time.
    task.clocked = None if task.crontab or task.interval else _clocked(task.clocked, schedule)
    task.one_off = task.clocked is not None
    task.no_changes = True
    task.save()
    schedule.periodic_task = task


def follow(schedule: Schedule) -> None:
    """Show the next time of a schedule that is shown by its next time."""
    if schedule.next_due_at and schedule.periodic_task_id and not _is_told(schedule):
        of_task = ClockedSchedule.objects.filter(periodictask=schedule.periodic_task_id)
        of_task.update(clocked_time=schedule.next_due_at)


def remove_mirror(schedule: Schedule) -> None:
    """Delete a schedule's ``PeriodicTask``."""
    if schedule.periodic_task:
        clocked = schedule.periodic_task.clocked
        schedule.periodic_task.no_changes = True
        schedule.periodic_task.delete()
        if clocked:
            clocked.delete()
    schedule.periodic_task = None


def is_in_step(schedule: Schedule, task: PeriodicTask) -> bool:
    """Return whether a ``PeriodicTask`` shows what its schedule is, but for being enabled."""
    wanted = _wanted(schedule)
    return all(getattr(task, name) == value for name, value in wanted.items() if name != "enabled")


def _wanted(schedule: Schedule) -> dict[str, Any]:
    return {
        "name": f"{schedule.name or schedule.job_type} ({schedule.public_id})"[:200],
        "task": TASK,
        "args": "[]",
        "kwargs": json.dumps({"schedule_id": schedule.public_id}),
        "enabled": schedule.enabled,
        "crontab": _crontab(schedule),
        "interval": _interval(schedule),
        "description": f"{describe(timing_of(schedule).recurrence)} {_NOTE}",
    }


def _is_told(schedule: Schedule) -> bool:
    """Return whether django-celery-beat has words for when the schedule recurs."""
    if schedule.cron:
        return _celery_knows(schedule.cron)
    return schedule.every_seconds is not None and _periods(schedule.every_seconds) is not None


def _crontab(schedule: Schedule) -> CrontabSchedule | None:
    if not (schedule.cron and _celery_knows(schedule.cron)):
        return None
    texts = dict(zip(_FIELDS, schedule.cron.split(), strict=True))
    return _one_of(CrontabSchedule, timezone=timing_of(schedule).zone, **texts)


def _interval(schedule: Schedule) -> IntervalSchedule | None:
    periods = None if schedule.every_seconds is None else _periods(schedule.every_seconds)
    return _one_of(IntervalSchedule, every=periods[0], period=periods[1]) if periods else None


def _periods(seconds: float) -> tuple[int, str] | None:
    """Return a period as a whole number and its unit; None if django-celery-beat has none that fits."""
    if seconds == int(seconds):
        return (int(seconds), IntervalSchedule.SECONDS) if seconds <= _LARGEST else None
    micro = round(seconds * 1_000_000)
    return (micro, IntervalSchedule.MICROSECONDS) if micro <= _LARGEST else None


def _one_of(model: Any, **values: Any) -> Any:
    """Return the row with these values. It is written without signals, which would have beat read everything anew."""
    found = model.objects.filter(**values).first()
    return found or model.objects.bulk_create([model(**values)])[0]


def _clocked(clocked: ClockedSchedule | None, schedule: Schedule) -> ClockedSchedule:
    at = schedule.next_due_at or schedule.first_at or schedule.updated_at
    if clocked is None:
        return _one_of_a_time(at)
    ClockedSchedule.objects.filter(pk=clocked.pk).update(clocked_time=at)
    clocked.clocked_time = at
    return clocked


def _one_of_a_time(at: datetime) -> ClockedSchedule:
    made: ClockedSchedule = ClockedSchedule.objects.bulk_create([ClockedSchedule(clocked_time=at)])[0]
    return made


@lru_cache(maxsize=4096)
def _celery_knows(cron: str) -> bool:
    """Return whether Celery's crontab takes all five fields; it knows neither L nor MON#2 nor the names of months."""
    texts = dict(zip(_FIELDS, cron.split(), strict=True))
    try:
        crontab(**texts)
    except (ParseException, ValueError, IndexError):
        return False
    return all(len(text) <= most for text, most in zip(texts.values(), _LENGTHS, strict=True))
