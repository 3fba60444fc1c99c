"""Reads of schedules and their occurrences."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce, Length

from pirunner.errors import NotFound
from schedules.models import AuditEntry, Occurrence, Schedule, ScheduleQuerySet
from schedules.rules import Backend, Outcome, Reason
from schedules.services import PREFIXES

LARGEST_ID = 10**18
PAGE_LENGTH = 4 * 1024 * 1024
"""How many characters of inputs and metadata a page carries, unless it is a single schedule."""

_SIZE = Length("input") + Coalesce(Length("metadata"), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFilter:
    """Which schedules a page shows: at most ``limit``, after the id ``after``, and those that fit all that is set.

    ``only`` is whose schedules are shown, None for everybody's.
    """

    limit: int
    after: int = 0
    backend: str | None = None
    enabled: bool | None = None
    job_type: str | None = None
    name: str | None = None
    only: str | None = None


def is_schedule_id(text: str) -> bool:
    """Return whether a text looks like a schedule's public id; a job's never does."""
    return text.startswith(tuple(PREFIXES.values()))


def find_schedule(reference: str) -> Schedule | None:
    """Return the schedule with this public id or name, or None."""
    if not reference or "\x00" in reference:
        return None
    if is_schedule_id(reference):
        return Schedule.objects.kept().filter(public_id=reference).first()
    return Schedule.objects.named(reference).first()


def get_schedule(reference: str, *, only: str | None = None) -> Schedule:
    """Return the schedule with this public id or name; raises ``NotFound``, also if ``only`` is not its owner."""
    schedule = find_schedule(reference)
    if schedule is None or (only is not None and schedule.owner != only):
        raise NotFound(f"There is no schedule {reference[:80]!r}.")
    return schedule


def list_schedules(wanted: ScheduleFilter) -> tuple[list[Schedule], int | None]:
    """Return a page of schedules, oldest first, and the id after which the next page begins, None if there is none.

    A page ends early where their inputs and metadata would be more than ``PAGE_LENGTH`` together.
    """
    named = Schedule.objects.kept() if wanted.name is None else Schedule.objects.named(wanted.name)
    schedules = named.filter(pk__gt=wanted.after).order_by("pk")
    if wanted.only is not None:
        schedules = schedules.filter(owner=wanted.only)
    if wanted.backend is not None:
        schedules = schedules.filter(backend=wanted.backend)
    if wanted.enabled is not None:
        schedules = schedules.filter(enabled=wanted.enabled)
    if wanted.job_type is not None:
        schedules = schedules.filter(job_type=wanted.job_type)
    sizes = list(schedules.annotate(size=_SIZE).values_list("pk", "size")[: wanted.limit + 1])
    totals = accumulate(size for _, size in sizes[: wanted.limit])
    fitting = sum(1 for total in totals if total <= PAGE_LENGTH)
    page = [pk for pk, _ in sizes[: max(1, fitting)]]
    more = len(sizes) > len(page)
    return list(Schedule.objects.filter(pk__in=page).order_by("pk")), page[-1] if more else None


def occurrences_of(schedule: Schedule, *, before: datetime | None, limit: int) -> list[Occurrence]:
    """Return the occurrences of a schedule due before a moment, newest first, at most ``limit``."""
    occurrences = Occurrence.objects.filter(schedule=schedule).order_by("-due_at")
    if before is not None:
        occurrences = occurrences.filter(due_at__lt=before)
    return list(occurrences[:limit])


def latest_occurrences(schedules: Sequence[Schedule]) -> dict[int, Occurrence]:
    """Return the latest occurrence of each of these schedules, by the schedule's key."""
    of_schedule = Occurrence.objects.filter(schedule=OuterRef("pk")).order_by("-due_at")
    latest = Schedule.objects.filter(pk__in=[schedule.pk for schedule in schedules]).annotate(
        latest=Subquery(of_schedule.values("pk")[:1])
    )
    found = Occurrence.objects.filter(pk__in=[pk for pk in latest.values_list("latest", flat=True) if pk])
    return {occurrence.schedule_id: occurrence for occurrence in found}


def next_schedules(limit: int) -> list[Schedule]:
    """Return the schedules that are due next, at most ``limit``, without their inputs."""
    soonest = [
        schedule
        for backend in Backend  # the index begins with it
        for schedule in Schedule.objects.kept()
        .filter(backend=backend.value, next_due_at__isnull=False)
        .defer("input", "metadata")
        .order_by("next_due_at")[:limit]
    ]
    return sorted(soonest, key=lambda schedule: (schedule.next_due_at, schedule.pk))[:limit]


def has_schedules() -> bool:
    """Return whether there is any schedule, paused or not."""
    return Schedule.objects.kept().exists()


def systemd_schedules() -> list[str]:
    """Return the public ids of the schedules whose timers are systemd's."""
    return list(_of_systemd().order_by("pk").values_list("public_id", flat=True))


def has_systemd_schedules() -> bool:
    """Return whether there is a schedule whose timer is systemd's."""
    return _of_systemd().exists()


def _of_systemd() -> ScheduleQuerySet:
    return Schedule.objects.kept().filter(backend=Backend.SYSTEMD.value)


def audit_of(schedule: Schedule, *, limit: int) -> list[AuditEntry]:
    """Return who did what to a schedule, newest first, at most ``limit``."""
    return list(AuditEntry.objects.filter(schedule_id=schedule.public_id).order_by("-pk")[:limit])


def lateness(of_last: int = 1000) -> list[float]:
    """Return by how many seconds the latest due times were fired late, ascending; what was caught up is left out."""
    latest = Occurrence.objects.order_by("-pk").values_list("outcome", "reason", "recorded_at", "due_at")[:of_last]
    return sorted(
        (recorded_at - due_at).total_seconds()
        for outcome, reason, recorded_at, due_at in latest
        if (outcome, reason) == (Outcome.FIRED.value, Reason.NONE.value)
    )


def count_enabled() -> tuple[int, int]:
    """Return how many schedules are enabled, and how many are paused."""
    counts = dict(Schedule.objects.kept().order_by().values_list("enabled").annotate(Count("pk")))
    return counts.get(True, 0), counts.get(False, 0)


def overdue_seconds(now: datetime) -> float:
    """Return for how long the oldest due time that nobody has dealt with has been due, 0 if there is none."""
    oldest = [
        due_at
        for backend in Backend
        for due_at in Schedule.objects.filter(backend=backend.value, next_due_at__lt=now)
        .order_by("next_due_at")
        .values_list("next_due_at", flat=True)[:1]
        if due_at is not None
    ]
    return max(((now - due_at).total_seconds() for due_at in oldest), default=0.0)


def latest_outcomes(of_last: int) -> Counter[tuple[str, str]]:
    """Return how many of the latest occurrences had which outcome, and for which reason ("" for none)."""
    return Counter(Occurrence.objects.order_by("-pk").values_list("outcome", "reason")[:of_last])
