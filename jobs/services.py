"""What clients write: accepting jobs and deleting them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs import results
from jobs.artifacts import delete_folder
from jobs.contract import JobType
from jobs.models import IdempotencyKey, Job
from jobs.ranking import rank_of
from jobs.selectors import Idempotency, find_answer
from jobs.states import State
from pirunner.bulk import insert_with_ids
from pirunner.doorbell import Ring, doorbell
from pirunner.errors import Conflict, NotFound


class JobActive(Conflict):
    """The job is running; it can be deleted when it has ended."""

    code = "job_active"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A checked submission: everything a job row needs. ``due_at`` None means now."""

    job_type: JobType
    input: Any
    owner: str
    priority: int = 5
    metadata: Any = None
    callback_url: str = ""
    schedule: Any = None
    backend: str = "celery"
    due_at: datetime | None = None
    warnings: tuple[str, ...] = ()
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a client is told of a submission; ``deduplicated`` if it was accepted before under the same key."""

    answer: dict[str, Any]
    deduplicated: bool = False


def submit_job(new_job: NewJob) -> Accepted:
    """Accept one job: when this returns it is on disk. Raises ``IdempotencyMismatch`` for a key used otherwise."""
    try:
        return submit_many([new_job])[0]
    except IntegrityError:
        # Another request with the same key committed first; its answer is ours.
        known = new_job.idempotency and find_answer(owner=new_job.owner, idempotency=new_job.idempotency)
        if not known:
            raise
        return Accepted(known, deduplicated=True)


def submit_many(new_jobs: Sequence[NewJob]) -> list[Accepted]:
    """Accept jobs and their idempotency keys in one transaction, then ring for those that are due.

    Raises ``IntegrityError``, with nothing accepted, if a key is in use already.
    """
    now = timezone.now()
    with transaction.atomic():
        jobs = [_job_row(new_job, now) for new_job in new_jobs]
        insert_with_ids(jobs)
        answers = [_answer(job, new_job) for job, new_job in zip(jobs, new_jobs, strict=True)]
        _remember_keys(new_jobs, answers, now)
    ring_jobs([(job, new_job.job_type) for job, new_job in zip(jobs, new_jobs, strict=True)])
    return [Accepted(answer) for answer in answers]


def ring_jobs(jobs: Sequence[tuple[Job, JobType]]) -> None:
    """Ring for waiting jobs; call it after the commit."""
    doorbell.ring(
        Ring(results.task_name(job.job_type), job.pk, job.queue, job.priority, shared=job_type.light)
        for job, job_type in jobs
        if job.state == State.WAITING
    )


def delete_job(job_id: int) -> None:
    """Delete a job that is not active, with its artifacts and history. Raises ``NotFound`` or ``JobActive``."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise NotFound(f"There is no job {job_id}.")
        if job.state == State.ACTIVE:
            raise JobActive(f"Job {job_id} is running; delete it when it has ended.")
        results.delete_history(job.pk, job.run)
        job.delete()
    delete_folder(job_id)


def _job_row(new_job: NewJob, now: datetime) -> Job:
    due_at = new_job.due_at or now
    waiting = due_at <= now
    return Job(
        job_type=new_job.job_type.name,
        queue=new_job.job_type.queue,
        state=State.WAITING if waiting else State.DELAYED,
        priority=new_job.priority,
        rank=rank_of(new_job.priority, due_at),
        input=new_job.input,
        metadata=new_job.metadata,
        schedule=new_job.schedule,
        backend=new_job.backend,
        callback_url=new_job.callback_url,
        owner=new_job.owner,
        created_at=now,
        due_at=due_at,
        queued_at=now if waiting else None,
        max_attempts=new_job.job_type.attempts,
    )


def _answer(job: Job, new_job: NewJob) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "jobId": str(job.pk),
        "status": "queued",
        "backend": job.backend,
        "scheduled": new_job.due_at is not None,
    }
    if new_job.warnings:
        answer["warnings"] = list(new_job.warnings)
    return answer


def _remember_keys(new_jobs: Sequence[NewJob], answers: Sequence[dict[str, Any]], now: datetime) -> None:
    rows = [
        IdempotencyKey(
            owner=new_job.owner,
            key=new_job.idempotency.key,
            body_sha256=new_job.idempotency.body_sha256,
            answer=answer,
            expires_at=now + timedelta(seconds=settings.IDEMPOTENCY_TTL_SECONDS),
        )
        for new_job, answer in zip(new_jobs, answers, strict=True)
        if new_job.idempotency
    ]
    if not rows:
        return
    for row in rows:
        IdempotencyKey.objects.filter(owner=row.owner, key=row.key, expires_at__lte=now).delete()
    IdempotencyKey.objects.bulk_create(rows)
