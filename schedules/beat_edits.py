"""What somebody did to the mirror of a schedule in django-celery-beat's admin: switched it off or on, or more.

Switching is honoured. Everything else is put right again: there is one writable truth, the schedule.
"""

import logging
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django_celery_beat.models import PeriodicTasks

from pirunner.errors import NotFound
from schedules.mirror import is_in_step, mirror
from schedules.models import Schedule
from schedules.rules import Backend
from schedules.services import pause_schedule, resume_schedule

log = logging.getLogger(__name__)

BY = "django-celery-beat's admin"
BATCH = 50
"""How many mirrors one round looks at, and how many switches it honours."""


class BeatEdits:
    """Looks at the mirrors when django-celery-beat's tables were changed, which pirunner itself does not count as.

    A new one looks at all of them: it does not know what was changed before.
    """

    def __init__(self) -> None:
        self._seen: datetime | None = None
        self._looked = False
        self._after: int | None = None
        """The last schedule that was looked at; None when that was the last one of all."""

    def honour(self, now: datetime) -> int:
        """Do what was asked for there, a batch of it; return for how many schedules."""
        del now
        changed = PeriodicTasks.last_change()
        if not self._looked or changed != self._seen:
            self._seen, self._looked, self._after = changed, True, 0
        if self._after is None:
            return 0
        switched = _honour_switches()
        page, wrong = _page(self._after)
        for schedule_id in wrong:
            _put_right(schedule_id)
        if page:
            self._after = page[-1]
        elif switched < BATCH:
            self._after = None
        return switched + len(wrong)


def _honour_switches() -> int:
    kept = Schedule.objects.kept().filter(periodic_task__isnull=False)
    switched = list(kept.exclude(enabled=F("periodic_task__enabled"))[:BATCH])
    for schedule in switched:
        change = pause_schedule if schedule.enabled else resume_schedule
        with suppress(NotFound):  # somebody has just deleted it
            change(schedule.pk, by=BY)
            log.info("%s was switched %s in %s.", schedule, "off" if schedule.enabled else "on", BY)
    return len(switched)


def _page(after: int) -> tuple[list[int], list[int]]:
    """Return the next schedules, and those of them whose mirrors were edited or deleted."""
    schedules = Schedule.objects.kept().filter(pk__gt=after, backend=Backend.CELERY.value).order_by("pk")
    mirrored = schedules.select_related("periodic_task__crontab", "periodic_task__interval", "periodic_task__clocked")
    page = list(mirrored[:BATCH])
    return [each.pk for each in page], [each.pk for each in page if _is_wrong(each)]


def _is_wrong(schedule: Schedule) -> bool:
    return schedule.periodic_task is None or not is_in_step(schedule, schedule.periodic_task)


def _put_right(schedule_id: int) -> None:
    """Write a mirror anew, unless it was also switched: that comes first."""
    with transaction.atomic():
        schedule = Schedule.objects.select_for_update(of=("self",)).kept().filter(pk=schedule_id).first()
        if schedule is None or (schedule.periodic_task and schedule.periodic_task.enabled != schedule.enabled):
            return
        mirror(schedule)
        schedule.save(update_fields=["periodic_task"])


honour = BeatEdits().honour
