"""What comes next: fires of schedules, jobs that become due, and when in the next 24 hours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format

from jobs.models import Job
from jobs.selectors import next_delayed
from pirunner.dashboard.look import Look
from pirunner.zones import find_zone
from schedules.models import Schedule
from schedules.recurrence import between
from schedules.selectors import has_schedules, next_schedules
from schedules.timing import is_readable, timing_of

MOST = 6
ON_STRIP = 20
"""How many schedules the strip shows."""
FIRES = 48
"""How many fires of a schedule the strip shows one by one; what is due more often is a band from there on."""
AHEAD = timedelta(hours=24)
TICK_HOURS = (6, 12, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """Something that is due at a moment, in the zone that counts for it."""

    at: datetime
    title: str
    kind: str
    zone: str
    where: str
    schedule_id: int | None = None

    @property
    def local(self) -> str:
        """The moment in the zone of what is due."""
        return date_format(self.at.astimezone(find_zone(self.zone)), "D j M, H:i")

    @property
    def key(self) -> str:
        """What tells it from the others on the page."""
        return f"{self.kind}-{self.where.rstrip('/').rpartition('/')[0].rpartition('/')[2]}"


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the strip, in percent of its width; one fire has no width."""

    start: float
    width: float


def show(look: Look) -> dict[str, Any]:
    """Return what is due next, and the strip of the next 24 hours."""
    sees_schedules, sees_jobs = look.may("schedules.view_schedule"), look.may("jobs.view_job")
    schedules = next_schedules(ON_STRIP) if sees_schedules else []
    jobs = next_delayed(MOST) if sees_jobs else []
    return {
        "upcoming": sorted([*_fires(schedules[:MOST]), *_due(jobs)], key=lambda entry: entry.at)[:MOST],
        "marks": sorted(marks_of(schedules, look.now), key=lambda mark: -mark.width),
        "ticks": [(hours / 24 * 100, look.now + timedelta(hours=hours)) for hours in TICK_HOURS],
        "has_schedules": bool(schedules) or (sees_schedules and has_schedules()),
        "sees_schedules": sees_schedules,
    }


def _fires(schedules: Iterable[Schedule]) -> Iterator[Next]:
    for schedule in schedules:
        if schedule.next_due_at is not None:
            yield Next(
                at=schedule.next_due_at,
                title=str(schedule) if schedule.name else schedule.job_type,
                kind="schedule",
                zone=schedule.zone if is_readable(schedule) else settings.TIME_ZONE,
                where=reverse("admin:schedules_schedule_change", args=[schedule.pk]),
                schedule_id=schedule.pk,
            )


def _due(jobs: Iterable[Job]) -> Iterator[Next]:
    for job in jobs:
        yield Next(
            at=job.due_at,
            title=job.job_type,
            kind="retry" if job.attempts_made else "job",
            zone=settings.TIME_ZONE,
            where=reverse("admin:jobs_job_change", args=[job.pk]),
        )


def marks_of(schedules: Iterable[Schedule], now: datetime) -> Iterator[Band]:
    """Yield where these schedules fire within the next 24 hours."""
    seen = set()
    for schedule in schedules:
        if not is_readable(schedule):
            continue
        fires = between(timing_of(schedule).recurrence, now, now + AHEAD, FIRES)
        places = [round((fire - now) / AHEAD * 100, 1) for fire in fires]
        if len(fires) == FIRES:
            yield Band(places[0], round(100 - places[0], 1))
        else:
            yield from (Band(place, 0.0) for place in places if place not in seen)
            seen.update(places)
