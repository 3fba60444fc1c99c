"""The schedule that the owner keeps by a variable: ``CRYPTO_BRIEF_CRON`` fires ``daily-crypto-brief``.

The row keeps in ``standing`` which value was applied last, so that only a change of the variable changes it: what the
owner edited or paused since then survives a restart.
"""

import logging
from datetime import datetime

from django.conf import settings

from jobs.catalog import find
from jobs.serializers import ScheduleBody
from schedules.models import Schedule, Tombstone
from schedules.reading import read_timing
from schedules.services import (
    Changes,
    NewSchedule,
    Work,
    edit_schedule,
    pause_schedule,
    put_schedule,
    resume_schedule,
)
from schedules.timing import Timing

log = logging.getLogger(__name__)

NAME = "daily-crypto-brief"
OWNER = "pirunner"
BY = "CRYPTO_BRIEF_CRON"
CLEARED = "cleared"
CLEARED_IN_PAUSE = "cleared in a pause"


def keep(now: datetime) -> int:
    """Bring the schedule in line with the variable, if that was changed since the last time; return whether it was."""
    cron = settings.CRYPTO_BRIEF_CRON
    schedule = Schedule.objects.kept().filter(name=NAME).first()
    if schedule is None:
        return _make(cron, now) if cron else 0
    if not schedule.standing or schedule.standing == _applied(cron):
        return 0  # somebody else's of the same name, or nothing new
    if not cron:
        return _clear(schedule)
    _apply(schedule, cron, now)
    return 1


def _make(cron: str, now: datetime) -> int:
    if find(NAME) is None or Tombstone.objects.filter(name=NAME).exists():
        return 0
    new = NewSchedule(work=Work(job_type=NAME, input={}), timing=_timing(cron, now), owner=OWNER, name=NAME)
    schedule, _ = put_schedule(new, by=BY)
    _note(schedule, _applied(cron))
    return 1


def _apply(schedule: Schedule, cron: str, now: datetime) -> None:
    edit_schedule(schedule.pk, Changes(fields={}, timing=_timing(cron, now)), by=BY)
    if schedule.standing == CLEARED:
        resume_schedule(schedule.pk, by=BY)
    _note(schedule, _applied(cron))
    log.info("%s follows CRYPTO_BRIEF_CRON: %s.", schedule, cron)


def _clear(schedule: Schedule) -> int:
    if schedule.standing in {CLEARED, CLEARED_IN_PAUSE}:
        return 0
    was_enabled = schedule.enabled
    pause_schedule(schedule.pk, by=BY)
    _note(schedule, CLEARED if was_enabled else CLEARED_IN_PAUSE)
    return 1


def _note(schedule: Schedule, standing: str) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(standing=standing)


def _applied(cron: str) -> str:
    return f"{cron} {settings.TIME_ZONE}"


def _timing(cron: str, now: datetime) -> Timing:
    written = {"cron": cron, "tz": settings.TIME_ZONE}
    timing, faults = read_timing(ScheduleBody(cron=cron, tz=settings.TIME_ZONE), written, now)
    if timing is None:
        raise ValueError(f"CRYPTO_BRIEF_CRON: {faults[0].message}")
    return timing
