"""Accepting jobs: from a checked submission to rows on disk and a ring."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs import results, tally
from jobs.contract import JobType
from jobs.models import IdempotencyKey, Job
from jobs.ranking import rank_of
from jobs.selectors import Idempotency, find_answer
from jobs.states import State
from jobs.steering import request_cancel
from pirunner.bulk import insert_with_ids
from pirunner.doorbell import Ring, doorbell
from pirunner.errors import Conflict
from pirunner.turns import take_turns
from webhooks.services import NewEvent, record_events, ring_deliveries


class ConcurrencyConflict(Conflict):
    """Another job of the same concurrency key has not ended."""

    code = "concurrency_conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A checked submission: everything a job row needs. ``due_at`` None means now."""

    job_type: JobType
    input: Any
    owner: str
    priority: int = 5
    metadata: Any = None
    concurrency_key: str = ""
    on_conflict: str = "queue"
    callback_url: str = ""
    callback_events: str = ""
    schedule: Any = None
    schedule_id: str = ""
    backend: str = "celery"
    due_at: datetime | None = None
    warnings: tuple[str, ...] = ()
    idempotency: Idempotency | None = None

    @property
    def minds_others(self) -> bool:
        """Whether it can only be accepted after a look at the other jobs of its concurrency key."""
        return bool(self.concurrency_key) and self.on_conflict != "queue"


@dataclass(frozen=True, slots=True)
class Written:
    """Job rows that a transaction under way has written, and the events that it has to record last."""

    jobs: list[tuple[Job, JobType]]
    events: list[NewEvent]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a client is told of a submission; ``deduplicated`` if it was accepted before under the same key."""

    answer: dict[str, Any]
    deduplicated: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        return {**self.answer, "deduplicated": True} if self.deduplicated else self.answer


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

    Raises ``IntegrityError`` if an idempotency key is in use already, ``ConcurrencyConflict`` if a job is not wanted
    beside another of its concurrency key; then nothing is accepted.
    """
    now = timezone.now()
    with transaction.atomic():
        written = write_jobs(new_jobs, now)
        answers = [_answer(job, new_job) for (job, _), new_job in zip(written.jobs, new_jobs, strict=True)]
        remember_keys(
            (new_job.owner, new_job.idempotency, answer)
            for new_job, answer in zip(new_jobs, answers, strict=True)
            if new_job.idempotency
        )
        delivery_ids = record_events(written.events)
    ring_deliveries(delivery_ids)
    ring_jobs(written.jobs)
    return [Accepted(answer) for answer in answers]


def write_jobs(new_jobs: Sequence[NewJob], now: datetime) -> Written:
    """Write the rows of jobs in the current transaction; after its commit call ``ring_jobs``.

    Raises ``ConcurrencyConflict`` if one is not wanted beside another of its concurrency key.
    """
    replaced = [event for new_job in new_jobs if new_job.minds_others for event in make_room(new_job, now)]
    jobs = [_job_row(new_job, now) for new_job in new_jobs]
    insert_with_ids(jobs)
    tally.record({State.CANCELLED: len(replaced)})
    return Written([(job, new_job.job_type) for job, new_job in zip(jobs, new_jobs, strict=True)], replaced)


def remember_keys(used: Iterable[tuple[str, Idempotency, dict[str, Any]]]) -> None:
    """Keep keys, each with its owner and the answer that it gets from now on, in the transaction that uses them.

    Raises ``IntegrityError`` if one is in use already.
    """
    now = timezone.now()
    rows = [
        IdempotencyKey(
            owner=owner,
            key=idempotency.key,
            body_sha256=idempotency.body_sha256,
            answer=answer,
            expires_at=now + timedelta(seconds=settings.IDEMPOTENCY_TTL_SECONDS),
        )
        for owner, idempotency, answer in used
    ]
    for row in rows:
        IdempotencyKey.objects.filter(owner=row.owner, key=row.key, expires_at__lte=now).delete()
    IdempotencyKey.objects.bulk_create(rows)


def ring_jobs(jobs: Sequence[tuple[Job, JobType]]) -> None:
    """Ring for waiting jobs; call it after the commit."""
    doorbell.ring(
        Ring(results.task_name(job.job_type), job.pk, job.queue, job.priority, shared=job_type.light)
        for job, job_type in jobs
        if job.state == State.WAITING
    )


def make_room(new_job: NewJob, now: datetime) -> list[NewEvent]:
    """Look at the other jobs of a concurrency key: refuse the new one, or cancel them. Returns the events to record.

    Raises ``ConcurrencyConflict`` when one is there and the client asked for ``reject``.
    """
    take_turns(f"concurrency key {new_job.concurrency_key}")
    others = list(Job.objects.select_for_update().open_of_key(new_job.concurrency_key))
    if others and new_job.on_conflict == "reject":
        raise ConcurrencyConflict(
            f"Job {others[0].pk} of the concurrency key {new_job.concurrency_key[:80]!r} has not ended; "
            "send it again later, or with onConflict 'queue' or 'replace'."
        )
    return [event for other in others for event in request_cancel(other, by=new_job.owner, now=now)]


def _job_row(new_job: NewJob, now: datetime) -> Job:
    due_at = new_job.due_at or now
    waiting = due_at <= now
    return Job(
        job_type=new_job.job_type.name,
        queue=new_job.job_type.queue,
        state=State.WAITING if waiting else State.DELAYED,
        priority=new_job.priority,
        rank=rank_of(new_job.priority, max(due_at, now)),  # what is made up for begins to wait now
        input=new_job.input,
        metadata=new_job.metadata,
        schedule=new_job.schedule,
        backend=new_job.backend,
        concurrency_key=new_job.concurrency_key,
        callback_url=new_job.callback_url,
        callback_events=new_job.callback_events,
        schedule_id=new_job.schedule_id,
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
