"""What somebody did to the mirror of a schedule in django-celery-beat's admin: switched it off or on, or more.

Switching is honoured. Everything else is put right again: there is one writable truth, the schedule.
"""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django_celery_beat.models import PeriodicTasks

from schedules.mirror import is_in_step, mirror
from schedules.models import Schedule
from schedules.services import pause_schedule, resume_schedule

log = logging.getLogger(__name__)

BY = "django-celery-beat's admin"


class BeatEdits:
    """Looks at the mirrors when django-celery-beat's tables were changed, which pirunner itself does not count as."""

    def __init__(self) -> None:
        self._seen: datetime | None = None
        self._looked = False

    def honour(self, now: datetime) -> int:
        """Do what was asked for there; return for how many schedules."""
        del now
        changed = PeriodicTasks.last_change()
        if self._looked and self._seen == changed:
            return 0
        done = _honour_switches() + _put_right()
        self._seen, self._looked = changed, True
        return done


def _honour_switches() -> int:
    switched = Schedule.objects.kept().filter(periodic_task__isnull=False).exclude(enabled=F("periodic_task__enabled"))
    found = list(switched)
    for schedule in found:
        change = pause_schedule if schedule.enabled else resume_schedule
        change(schedule.pk, by=BY)
        log.info("%s was switched %s in %s.", schedule, "off" if schedule.enabled else "on", BY)
    return len(found)


def _put_right() -> int:
    """Write the mirrors anew that were edited or deleted."""
    mirrored = Schedule.objects.kept().select_related("periodic_task__crontab", "periodic_task__interval")
    wrong = [
        schedule.pk
        for schedule in mirrored.iterator(500)
        if schedule.periodic_task is None or not is_in_step(schedule, schedule.periodic_task)
    ]
    for schedule_id in wrong:
        with transaction.atomic():
            schedule = Schedule.objects.select_for_update(of=("self",)).kept().filter(pk=schedule_id).first()
            if schedule:
                mirror(schedule)
                schedule.save(update_fields=["periodic_task"])
    return len(wrong)


honour = BeatEdits().honour
