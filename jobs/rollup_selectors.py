"""Reads of the rollup: how many jobs ended in each hour, and ever."""

from dataclasses import dataclass
from datetime import datetime

from jobs.models import JobHour, RunCount
from jobs.rollup import hour_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HourFigures:
    """The jobs of a type that ended in a state within the hour that begins at ``hour`` (UTC).

    ``seconds`` is how long they took together; those that never ran took none.
    """

    hour: datetime
    job_type: str
    state: str
    ended: int
    seconds: float


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


def hours_since(moment: datetime) -> list[HourFigures]:
    """Return the figures from the hour of a moment on, oldest first; an hour in which nothing ended is left out."""
    rows = JobHour.objects.filter(hour__gte=hour_of(moment)).order_by("hour", "job_type", "state")
    fields = rows.values_list("hour", "job_type", "state", "ended", "seconds")
    return [
        HourFigures(hour=hour, job_type=job_type, state=state, ended=ended, seconds=seconds)
        for hour, job_type, state, ended, seconds in fields
        if hour is not None
    ]


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
