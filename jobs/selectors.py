"""Reads of jobs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Max, Min
from django.db.models.expressions import RawSQL
from django.utils import timezone

from jobs import tally
from jobs.models import Artifact, IdempotencyKey, Job, LogLine
from jobs.states import State
from pirunner.errors import ApiError, NotFound

LONGEST_ID = 18
"""Digits of the largest job id that fits the column."""
CONTENTS = ("input", "metadata", "schedule", "result")
"""What a job carries, which may be large and which few readers want."""


class IdempotencyMismatch(ApiError):
    """The idempotency key was used with another body; use a new key for a new job."""

    status = 422
    code = "idempotency_mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """A client's key and the SHA-256 (hex) of the body it came with."""

    key: str
    body_sha256: str


def is_id(text: str) -> bool:
    """Return whether a text is an id as clients write it."""
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_ID


def find_job(job_id: str) -> Job | None:
    """Return the job with this id as clients write it, or None; an id that is no id finds nothing."""
    return Job.objects.filter(pk=int(job_id)).first() if is_id(job_id) else None


def get_job(job_id: str, *, only: str | None = None) -> Job:
    """Return the job with this id as clients write it; raises ``NotFound``, also if ``only`` is not its owner."""
    job = find_job(job_id)
    if job is None or (only is not None and job.owner != only):
        raise NotFound(f"There is no job {job_id[:80]!r}; the id of a job is a number.")
    return job


def jobs_of_owner(owner: str, job_ids: Collection[int]) -> set[int]:
    """Return which of these jobs a token submitted."""
    return set(Job.objects.filter(pk__in=job_ids, owner=owner).values_list("pk", flat=True))


def state_of_job(job_id: int) -> State | None:
    """Return where a job stands, or None if it has been removed."""
    state = Job.objects.filter(pk=job_id).values_list("state", flat=True).first()
    return None if state is None else State(state)


def lines_of_job(job_id: int, *, after: int, limit: int) -> list[LogLine]:
    """Return the lines of a job's log after a number, in order, at most ``limit``."""
    return list(LogLine.objects.filter(job_id=job_id, pk__gt=after).order_by("pk")[:limit])


def newest_line_of_job(job_id: int) -> int:
    """Return the number of the newest line of a job's log, 0 if it has none."""
    return LogLine.objects.filter(job_id=job_id).aggregate(newest=Max("pk"))["newest"] or 0


def artifacts_of_job(job_id: int) -> list[Artifact]:
    """Return the files that a job wrote, oldest first."""
    return list(Artifact.objects.filter(job_id=job_id).order_by("pk"))


def get_artifact(artifact_id: str, *, only: str | None = None) -> Artifact:
    """Return the artifact with this id as clients write it; raises ``NotFound``, as ``get_job`` does."""
    artifact = Artifact.objects.filter(pk=int(artifact_id)).first() if is_id(artifact_id) else None
    if artifact is None or (only is not None and artifact.job.owner != only):
        raise NotFound(f"There is no artifact {artifact_id[:80]!r}.")
    return artifact


def last_lines_of_job(job_id: int, limit: int) -> list[LogLine]:
    """Return the newest lines of a job's log, in order, at most ``limit``."""
    return list(LogLine.objects.filter(job_id=job_id).order_by("-pk")[:limit])[::-1]


def count_states() -> dict[str, int]:
    """Return how many jobs are in each state, zeros included: open ones are counted, ended ones are in the tally."""
    jobs = Job.objects
    counts = {
        State.DELAYED: jobs.delayed().count(),
        State.WAITING: jobs.waiting().count(),
        State.ACTIVE: jobs.active().count(),
        **tally.ended_jobs(),
    }
    return {state.value: count for state, count in counts.items()}


def count_open_of_schedules(schedule_ids: Sequence[str]) -> dict[str, int]:
    """Return how many jobs of these schedules have not ended; a schedule without any is left out."""
    is_open = RawSQL("NOT (schedule_id = '') AND state IN ('delayed', 'waiting', 'active')", (), models.BooleanField())
    of_schedules = Job.objects.filter(is_open, schedule_id__in=schedule_ids).order_by()
    return dict(of_schedules.values_list("schedule_id").annotate(models.Count("pk")))


def oldest_waiting_age(now: datetime) -> float | None:
    """Return for how many seconds the job that waits longest has been waiting, or None."""
    oldest = Job.objects.waiting().order_by("queued_at").values_list("queued_at", flat=True).first()
    return None if oldest is None else max(0.0, (now - oldest).total_seconds())


def running_jobs(limit: int) -> list[Job]:
    """Return the jobs that run, the longest running first, at most ``limit``, without their contents."""
    return list(Job.objects.active().defer(*CONTENTS).order_by("started_at", "pk")[:limit])


def latest_failures(limit: int) -> list[Job]:
    """Return the jobs that failed last, newest first, at most ``limit``, without their contents."""
    failed = Job.objects.filter(state=State.FAILED.value, finished_at__isnull=False)
    return list(failed.defer(*CONTENTS).order_by("-finished_at")[:limit])


def next_delayed(limit: int) -> list[Job]:
    """Return the jobs that become due next, at most ``limit``, without their contents."""
    return list(Job.objects.delayed().defer(*CONTENTS).order_by("due_at")[:limit])


@dataclass(frozen=True, slots=True)
class WaitingFigures:
    """How many jobs of a type wait, and for how many seconds the oldest has been waiting."""

    count: int
    oldest_seconds: float


def waiting_by_type(now: datetime) -> dict[str, WaitingFigures]:
    """Return what waits, by job type; a type of which nothing waits is left out."""
    waiting = Job.objects.waiting().order_by().values_list("job_type")
    rows = waiting.annotate(models.Count("pk"), Min("queued_at"))
    return {
        job_type: WaitingFigures(count, 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()))
        for job_type, count, oldest in rows
    }


def find_answer(*, owner: str, idempotency: Idempotency) -> dict[str, Any] | None:
    """Return the answer that a live key was given, or None; raises ``IdempotencyMismatch`` for another body."""
    known = IdempotencyKey.objects.filter(owner=owner, key=idempotency.key, expires_at__gt=timezone.now()).first()
    if known is None:
        return None
    if known.body_sha256 != idempotency.body_sha256:
        raise IdempotencyMismatch(
            f"The idempotency key {idempotency.key[:80]!r} was used with another body; use a new key for a new job."
        )
    answer: dict[str, Any] = known.answer
    return answer
