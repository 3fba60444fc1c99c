"""The mirror: a schedule's ``PeriodicTask``, kept in step so that its owner finds it in django-celery-beat's admin.

It is only looked at: the clock leaves it out of beat's own heap (see ``schedules.clock``). What is written here does
not move ``PeriodicTasks.last_update``, so that a change of it is somebody else's: see ``schedules.beat_edits``.
"""

import json
from functools import lru_cache
from typing import Any

from celery.schedules import ParseException, crontab
from django.db import connection
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from schedules.models import Schedule
from schedules.recurrence import describe
from schedules.rules import Backend
from schedules.timing import timing_of

TASK = "schedules.run_now"
"""The Celery task that it names: django-celery-beat's "run selected tasks" submits a job of the schedule."""

_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
_LENGTHS = (240, 96, 124, 64, 64)
"""How many characters of each field ``CrontabSchedule`` keeps."""
_LARGEST = 2**31 - 1
_LONGEST_NAME = 150
_NOTE = "pirunner fires it; here it can be switched off and on."
_NOTHING = {
    name: PeriodicTask._meta.get_field(name).get_default()  # noqa: SLF001  (Django documents it: the model _meta API)
    for name in ("solar", "start_time", "expires", "expire_seconds", "priority", "queue", "exchange", "routing_key")
}
"""What a mirror does not use."""

_Values = dict[str, Any]


def mirror(schedule: Schedule) -> None:
    """Write a schedule's ``PeriodicTask``, in the transaction that writes the schedule; the caller saves the latter.

    One of systemd's has none: its owner finds it among systemd's timers.
    """
    if schedule.backend != Backend.CELERY:
        return
    words = _words(schedule)
    old = schedule.periodic_task or PeriodicTask.objects.filter(name=words["name"]).first()
    # A new object, so that nothing is left of what somebody else put into the row.
    task = PeriodicTask(
        pk=old.pk if old else None,
        enabled=schedule.enabled,
        crontab=_one_of(CrontabSchedule, _crontab(schedule)),
        interval=_one_of(IntervalSchedule, _interval(schedule)),
        **words,
    )
    if not _is_told(schedule):  # where Celery knows no such crontab, it is shown by its next time
        task.clocked = _new_clocked(schedule)
        task.one_off = True
    task._state.adding = old is None  # noqa: SLF001  (Django documents it: Model._state)
    task.no_changes = True
    task.save()
    if old and old.clocked_id:
        _remove_clocked(old.clocked_id)
    schedule.periodic_task = task


def follow(schedule: Schedule) -> None:
    """Show the next time of a schedule that is shown by its next time."""
    if schedule.next_due_at and schedule.periodic_task_id and not _is_told(schedule):
        of_task = ClockedSchedule.objects.filter(periodictask=schedule.periodic_task_id)
        of_task.update(clocked_time=schedule.next_due_at)


def remove_mirror(schedule: Schedule) -> None:
    """Delete a schedule's ``PeriodicTask``."""
    task = schedule.periodic_task
    if task:
        task.no_changes = True
        clocked_id = task.clocked_id
        task.delete()
        if clocked_id:
            _remove_clocked(clocked_id)
    schedule.periodic_task = None


def is_in_step(schedule: Schedule, task: PeriodicTask) -> bool:
    """Return whether a ``PeriodicTask`` shows what its schedule is, but for being enabled."""
    wanted = {**_NOTHING, **_words(schedule), "one_off": not _is_told(schedule)}
    return (
        all(getattr(task, name) == value for name, value in wanted.items())
        and _holds(task.crontab, _crontab(schedule))
        and _holds(task.interval, _interval(schedule))
        and _holds(task.clocked, None if _is_told(schedule) else _clocked(schedule))
    )


def _words(schedule: Schedule) -> _Values:
    return {
        "name": f"{(schedule.name or schedule.job_type)[:_LONGEST_NAME]} ({schedule.public_id})",
        "task": TASK,
        "args": "[]",
        "kwargs": json.dumps({"schedule_id": schedule.public_id}),
        "description": f"{_sentence(schedule)} {_NOTE}",
    }


def _sentence(schedule: Schedule) -> str:
    try:
        return describe(timing_of(schedule).recurrence)
    except ValueError as error:
        return f"It cannot be read: {error}"


def _is_told(schedule: Schedule) -> bool:
    """Return whether django-celery-beat has words for when the schedule recurs."""
    return _crontab(schedule) is not None or _interval(schedule) is not None


def _crontab(schedule: Schedule) -> _Values | None:
    if not (schedule.cron and _celery_knows(schedule.cron)):
        return None
    try:
        zone = timing_of(schedule).zone
    except ValueError:
        return None
    return {"timezone": zone, **dict(zip(_FIELDS, schedule.cron.split(), strict=True))}


def _interval(schedule: Schedule) -> _Values | None:
    """Return a period as a whole number and its unit; None if django-celery-beat has none that fits."""
    seconds = schedule.every_seconds
    if seconds is None:
        return None
    if seconds == int(seconds):
        return {"every": int(seconds), "period": IntervalSchedule.SECONDS} if seconds <= _LARGEST else None
    micro = round(seconds * 1_000_000)
    return {"every": micro, "period": IntervalSchedule.MICROSECONDS} if micro <= _LARGEST else None


def _clocked(schedule: Schedule) -> _Values:
    return {"clocked_time": schedule.next_due_at or schedule.first_at or schedule.updated_at}


def _holds(row: Any, values: _Values | None) -> bool:
    if row is None or values is None:
        return row is values
    return all(getattr(row, name) == value for name, value in values.items())


def _one_of(model: Any, values: _Values | None) -> Any:
    """Return the row with these values. It is written without signals, which would have beat read everything anew."""
    if values is None:
        return None
    return model.objects.filter(**values).first() or model.objects.bulk_create([model(**values)])[0]


def _new_clocked(schedule: Schedule) -> ClockedSchedule:
    made: ClockedSchedule = ClockedSchedule.objects.bulk_create([ClockedSchedule(**_clocked(schedule))])[0]
    return made


def _remove_clocked(clocked_id: int) -> None:
    """Delete the row, without signals, unless somebody else uses it too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_celery_beat_clockedschedule WHERE id = %s AND NOT EXISTS"
            " (SELECT 1 FROM django_celery_beat_periodictask WHERE clocked_id = %s)",
            [clocked_id, clocked_id],
        )


@lru_cache(maxsize=4096)
def _celery_knows(cron: str) -> bool:
    """Return whether Celery's crontab takes all five fields as they are meant: no L, no 7, and MON#2 is not MON."""
    texts = cron.split()
    if (
        len(texts) != len(_FIELDS)
        or "#" in cron
        or any(len(text) > most for text, most in zip(texts, _LENGTHS, strict=True))
    ):
        return False
    try:
        crontab(**dict(zip(_FIELDS, texts, strict=True)))
    except (ParseException, ValueError, IndexError):
        return False
    return True
