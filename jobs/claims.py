"""Claiming: how a worker's child process takes waiting jobs, and how long it holds them.

A claim is one ``UPDATE ... RETURNING`` that finds the most urgent waiting jobs and makes them active under a new
run number, a token, a lease and a deadline. Two workers that hear the same ring cannot get the same job.
"""

import json
import secrets
from datetime import datetime, timedelta

from django.db import connection

from jobs.contract import JobType
from jobs.models import Job
from jobs.runs import Claim

LEASE = timedelta(seconds=15)
CHAIN_LENGTH = 100
"""How many light jobs one claim takes at most."""


def claim_many(*, job_type: JobType, queue: str, worker: str, child_pid: int, now: datetime) -> list[Claim]:
    """Take the most urgent waiting jobs of a type and queue; return none when others were faster.

    A heavy type yields one job. A light type yields up to ``CHAIN_LENGTH``, but a job that ran before is taken
    alone: should it be the one that ends its worker, it takes no others with it.
    """
    if job_type.light:
        head = Job.objects.waiting().filter(queue=queue, job_type=job_type.name).order_by("rank", "id")
        ran_before = head.values_list("id", "run").first()
        if ran_before is None:
            return []
        if ran_before[1] == 0:
            fresh = ("run = 0", CHAIN_LENGTH)
            return _claim(job_type=job_type, queue=queue, worker=worker, child_pid=child_pid, now=now, which=fresh)
    whichever = ("run >= 0", 1)
    return _claim(job_type=job_type, queue=queue, worker=worker, child_pid=child_pid, now=now, which=whichever)


def _claim(
    *, job_type: JobType, queue: str, worker: str, child_pid: int, now: datetime, which: tuple[str, int]
) -> list[Claim]:
    condition, limit = which
    token = secrets.token_hex(16)
    stored = connection.ops.adapt_datetimefield_value
    skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM.format(condition=condition, skip=skip),
            [
                token,
                stored(now + LEASE),
                stored(now + timedelta(seconds=job_type.time_limit)),
                stored(now),
                worker,
                child_pid,
                queue,
                job_type.name,
                limit,
            ],
        )
        rows = cursor.fetchall()
    rows.sort(key=lambda row: (row[8], row[0]))
    return [
        Claim(
            job_id=row[0],
            token=token,
            run=row[1],
            job_type=job_type.name,
            priority=row[2],
            input=json.loads(row[3]),
            metadata=None if row[4] is None else json.loads(row[4]),
            callback_url=row[5],
            attempts_made=row[6],
            max_attempts=row[7],
            started_at=now,
            worker=worker,
            chained=len(rows),
        )
        for row in rows
    ]


_CLAIM = """
UPDATE jobs_job
   SET state = 'active', run = run + 1, token = %s, lease_expires_at = %s, deadline_at = %s, started_at = %s,
       worker = %s, child_pid = %s
 WHERE state = 'waiting' AND id IN (
       SELECT id FROM jobs_job
        WHERE state = 'waiting' AND queue = %s AND job_type = %s AND {condition}
        ORDER BY rank, id LIMIT %s {skip})
RETURNING id, run, priority, input, metadata, callback_url, attempts_made, max_attempts, rank
"""


def renew_leases(*, worker: str, child_pids: list[int], now: datetime) -> int:
    """Renew what these live and busy children of a worker hold, unless past its deadline; return how many rows."""
    held = Job.objects.active().filter(worker=worker, child_pid__in=child_pids, deadline_at__gt=now)
    return held.update(lease_expires_at=now + LEASE)


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
        attempts_made=job.attempts_made,
        max_attempts=job.max_attempts,
        started_at=job.started_at,
        worker=job.worker,
        chained=chained,
    )
