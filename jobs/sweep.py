"""What the clock does for jobs: each a bounded batch, each harmless to run twice."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

from jobs import results
from jobs.catalog import allowed, find
from jobs.claims import claim_of
from jobs.contract import JobType
from jobs.endings import LOST, Ending, cancelled, given_back, worker_lost
from jobs.lifecycle import end_many
from jobs.models import IdempotencyKey, Job
from jobs.runs import Claim
from jobs.states import State
from pirunner.doorbell import Ring, doorbell

log = logging.getLogger(__name__)

BATCH = 500
UNHEARD = timedelta(seconds=10)
"""How long a job waits before its ring is taken for lost."""
RINGS_PER_TYPE = 100
"""How many rings a round adds at most, so also how many jobs a second are caught up with when all rings were lost."""


def promote_due(now: datetime) -> int:
    """Make delayed jobs whose time has come waiting, and ring for them; return how many."""
    if not Job.objects.delayed().filter(due_at__lte=now).exists():
        return 0  # nothing to write, and no lock to wait for
    stored = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(_PROMOTE, [stored, BATCH, stored])
        rows = cursor.fetchall() if cursor.description else []
    doorbell.ring(Ring(results.task_name(row[1]), row[0], row[2], row[3], shared=_is_light(row[1])) for row in rows)
    return len(rows)


def take_back_expired(now: datetime) -> int:
    """Take back what workers held whose lease is over: they died or froze. Return how many runs ended so."""
    expired = Job.objects.active().filter(lease_expires_at__lt=now).order_by("lease_expires_at")[:BATCH]
    taken = end_lost(list(expired), now=now, reason=f"{LOST}: it stopped renewing its lease", expired=True)
    for ending in taken:
        log.warning("Run %s was taken back from %s.", ending.claim.run_id, ending.claim.worker)
    return len(taken)


def end_lost(
    jobs: list[Job],
    *,
    now: datetime,
    reason: str,
    why: Mapping[int, str] | None = None,
    planned: bool = False,
    expired: bool = False,
) -> list[Ending]:
    """End the runs of these active jobs as lost, or as cancelled if that was asked for; ring for those that wait again.

    ``why`` tells, by process id, for what reason a child was ended; the others were lost for ``reason``. In a
    ``planned`` stop of the worker those others get their attempt back. If they are ended because their leases have
    ``expired``, those that were renewed until now are left alone.
    """
    if not jobs:
        return []
    reasons = why or {}
    together = Counter(
        Job.objects.active().filter(token__in={job.token for job in jobs}).values_list("token", flat=True)
    )
    endings = [
        _lost(
            claim_of(job, chained=together[job.token]),
            job,
            now=now,
            reason=reasons.get(job.child_pid or 0, reason),
            harmless=planned and job.child_pid not in reasons,
        )
        for job in jobs
    ]
    taken = end_many([replace(ending, expired_by=now) for ending in endings] if expired else endings)
    waiting = {ending.claim.job_id for ending in taken if ending.state is State.WAITING}
    doorbell.ring(_ring_for(job) for job in jobs if job.pk in waiting)
    return taken


def _lost(claim: Claim, job: Job, *, now: datetime, reason: str, harmless: bool) -> Ending:
    if job.cancel_requested_at is not None:
        return cancelled(claim, at=now, by=job.cancel_requested_by)
    if harmless:
        return given_back(claim, at=now, reason=reason)
    return worker_lost(claim, at=now, reason=reason)


def ring_unheard(now: datetime) -> int:
    """Ring again for jobs that have been waiting unheard, the most urgent of each type; return how many rings."""
    rings = [ring for job_type in allowed().values() for ring in _unheard_rings(job_type, now - UNHEARD)]
    doorbell.ring(rings)
    return len(rings)


def ring_held_up(job_type: JobType, keys: Sequence[str]) -> None:
    """Ring for what waited for runs that have just ended: the next of each key, and of the long types."""
    waiting = Job.objects.waiting().order_by("rank", "id").only("job_type", "queue", "priority")
    held_up = [waiting.filter(concurrency_key=key).first() for key in set(keys) if key]
    if job_type.long:
        held_up += [waiting.filter(queue=t.queue, job_type=t.name).first() for t in allowed().values() if t.long]
    doorbell.ring(_ring_for(job) for job in held_up if job is not None)


def forget_keys(now: datetime) -> int:
    """Delete idempotency keys whose time is over; return how many."""
    expired = _expired_keys(now).values_list("pk", flat=True)[:BATCH]
    deleted, _ = IdempotencyKey.objects.filter(pk__in=list(expired)).delete() if expired else (0, {})
    return deleted


def count_expired_keys(now: datetime) -> int:
    """Return how many idempotency keys there are whose time is over."""
    return _expired_keys(now).count()


def _expired_keys(now: datetime) -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(expires_at__lte=now)


def _unheard_rings(job_type: JobType, before: datetime) -> list[Ring]:
    unheard = Job.objects.waiting().filter(queue=job_type.queue, job_type=job_type.name, queued_at__lt=before)
    jobs = unheard.order_by("rank", "id").only("job_type", "queue", "priority")
    limit = 1 if job_type.light else RINGS_PER_TYPE
    return [_ring_for(job, again=True) for job in jobs[:limit]]


def _ring_for(job: Job, *, again: bool = False) -> Ring:
    name = results.task_name(job.job_type)
    return Ring(name, job.pk, job.queue, job.priority, shared=_is_light(job.job_type), again=again)


def _is_light(job_type_name: str) -> bool:
    job_type = find(job_type_name)
    return job_type is not None and job_type.light


_PROMOTE = """
WITH due AS MATERIALIZED (
     SELECT id FROM jobs_job WHERE state = 'delayed' AND due_at <= %s ORDER BY due_at LIMIT %s)
UPDATE jobs_job SET state = 'waiting', queued_at = %s
 WHERE state = 'delayed' AND id IN (SELECT id FROM due)
RETURNING id, job_type, queue, priority
"""
