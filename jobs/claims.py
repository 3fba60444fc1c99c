"""Claiming: how a worker's child process takes waiting jobs, and how long it holds them.

A claim is one ``UPDATE ... RETURNING`` that finds the most urgent waiting jobs and makes them active under a new
run number, a token, a lease and a deadline. Two workers that hear the same ring cannot get the same job.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from django.db import connection, transaction

from jobs.contract import HARD_GRACE, JobType
from jobs.models import Job
from jobs.runs import Claim

LEASE = timedelta(seconds=15)
CHAIN_LENGTH = 100
"""How many light jobs one claim takes at most."""


_FRESH = "run = 0 AND concurrency_key = ''"
_ANY = """NOT (concurrency_key <> '' AND EXISTS (
           SELECT 1 FROM jobs_job AS busy
            WHERE busy.state = 'active' AND busy.concurrency_key = jobs_job.concurrency_key))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimer:
    """Who claims: a child process of a worker, by the worker's Celery name and the instance of its parent."""

    worker: str
    instance: str
    child_pid: int


def claim_many(*, job_type: JobType, queue: str, claimer: Claimer, now: datetime) -> list[Claim]:
    """Take the most urgent waiting jobs of a type and queue; return none when others were faster.

    A heavy type yields one job, whose concurrency key nobody runs now. A light type yields up to ``CHAIN_LENGTH``
    without keys, but a job that ran before is taken alone: should it be the one that ends its worker, it takes no
    others with it.
    """
    if job_type.light and _head_is_fresh(job_type, queue):
        return _claim(_FRESH, CHAIN_LENGTH, job_type=job_type, queue=queue, claimer=claimer, now=now)
    return _claim(_ANY, 1, job_type=job_type, queue=queue, claimer=claimer, now=now)


def _head_is_fresh(job_type: JobType, queue: str) -> bool:
    waiting = Job.objects.waiting().filter(queue=queue, job_type=job_type.name).order_by("rank", "id")
    return waiting.values_list("run", "concurrency_key").first() == (0, "")


def _claim(
    condition: str, limit: int, *, job_type: JobType, queue: str, claimer: Claimer, now: datetime
) -> list[Claim]:
    token = secrets.token_hex(16)
    stored = connection.ops.adapt_datetimefield_value
    deadline = now + timedelta(seconds=job_type.time_limit + HARD_GRACE)
    held = [
        token,
        stored(now + LEASE),
        stored(deadline),
        stored(now),
        claimer.worker,
        claimer.instance,
        claimer.child_pid,
    ]
    skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(condition=condition, skip=skip), [queue, job_type.name, limit, *held])
        rows = sorted(cursor.fetchall(), key=itemgetter(0, 1))
    return [
        Claim(
            job_id=row[1],
            token=token,
            run=row[2],
            job_type=job_type.name,
            priority=row[3],
            input=json.loads(row[4]),
            metadata=None if row[5] is None else json.loads(row[5]),
            callback_url=row[6],
            callback_events=row[7],
            concurrency_key=row[8],
            attempts_made=row[9],
            max_attempts=row[10],
            owner=row[11],
            due_at=_moment(row[12]),
            started_at=now,
            worker=claimer.worker,
            chained=len(rows),
        )
        for row in rows
    ]


# MATERIALIZED: without it PostgreSQL may run the subquery once per row, each time past the rows locked before, and
# the limit is none (seen on a table without statistics: LIMIT 1 claimed three).
_CLAIM = """
WITH next AS MATERIALIZED (
     SELECT id FROM jobs_job
      WHERE state = 'waiting' AND queue = %s AND job_type = %s AND {condition}
      ORDER BY rank, id LIMIT %s {skip})
UPDATE jobs_job
   SET state = 'active', run = run + 1, token = %s, lease_expires_at = %s, deadline_at = %s, started_at = %s,
       worker = %s, instance = %s, child_pid = %s, progress = 0, status_message = ''
 WHERE state = 'waiting' AND id IN (SELECT id FROM next)
RETURNING rank, id, run, priority, input, metadata, callback_url, callback_events, concurrency_key, attempts_made,
          max_attempts, owner, due_at
"""


def _moment(stored: datetime) -> datetime:
    """Return a moment that came without Django's help; SQLite keeps them in UTC, and does not say so."""
    return stored if stored.tzinfo else stored.replace(tzinfo=UTC)


def renew_leases(*, instance: str, child_pids: list[int], now: datetime) -> int:
    """Renew what these live and busy children of a worker hold; return how many rows.

    A row that is being ended just now is passed over: waiting for it, in another order, could be a deadlock.
    """
    held = Job.objects.active().filter(instance=instance, child_pid__in=child_pids)
    free = held.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
    with transaction.atomic():  # the locks of rows need one
        return Job.objects.filter(pk__in=free.values("pk")).update(lease_expires_at=now + LEASE)


def claim_of(job: Job, *, chained: int) -> Claim:
    """Return the claim under which an active job is held, so that somebody else can end it in its name."""
    if job.token is None or job.started_at is None:
        raise ValueError(f"Job {job.pk} is not active.")
    return Claim(
        job_id=job.pk,
        token=job.token,
        run=job.run,
        job_type=job.job_type,
        priority=job.priority,
        input=job.input,
        metadata=job.metadata,
        callback_url=job.callback_url,
        callback_events=job.callback_events,
        concurrency_key=job.concurrency_key,
        attempts_made=job.attempts_made,
        max_attempts=job.max_attempts,
        owner=job.owner,
        due_at=job.due_at,
        started_at=job.started_at,
        worker=job.worker,
        chained=chained,
    )
