"""Reads of the rollup: how many jobs ended in each hour, and ever."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from jobs.models import JobHour, RunCount


@dataclass(frozen=True, slots=True, kw_only=True)
class AllTimeFigures:
    """The jobs of a type that ever ended in a state.

    ``buckets`` tells how many took how long (``jobs.rollup.BOUNDS``, each for itself, not summed up); what never ran,
    or whose duration is unknown, is in ``ended`` only.
    """

    job_type: str
    state: str
    ended: int
    seconds: float
    buckets: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """How many runs of a type were ``retried`` or ``taken_back`` (``what``), ever."""

    job_type: str
    what: str
    count: int


def ends_since(moment: datetime) -> list[tuple[datetime, str, int]]:
    """Return hour (UTC), state and how many jobs of all types ended, for the hours that begin since, oldest first."""
    hours = JobHour.objects.filter(hour__gte=moment).order_by("hour", "state")
    counts = hours.values_list("hour", "state").annotate(Sum("ended"))
    return [(began, state, ended) for began, state, ended in counts if began is not None]


def all_time() -> list[AllTimeFigures]:
    """Return the figures of all time, by type and state."""
    rows = JobHour.objects.filter(hour__isnull=True).order_by("job_type", "state")
    return [
        AllTimeFigures(
            job_type=row.job_type, state=row.state, ended=row.ended, seconds=row.seconds, buckets=tuple(row.buckets)
        )
        for row in rows
    ]


def runs() -> list[RunFigures]:
    """Return what became of runs that did not end their job, by type."""
    rows = RunCount.objects.order_by("job_type", "what").values_list("job_type", "what", "count")
    return [RunFigures(job_type=job_type, what=what, count=count) for job_type, what, count in rows]
