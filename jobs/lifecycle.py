"""What workers and the clock write: runs that start, and runs that end, each in one fenced transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from jobs import results, tally
from jobs.catalog import allowed
from jobs.claims import Claimer, claim_many
from jobs.contract import JobType
from jobs.endings import Ending, cancelled
from jobs.events import STARTED, new_event
from jobs.memory import forget_checkpoints, write_kept
from jobs.models import Artifact, Job
from jobs.payloads import ended_payload, started_payload
from jobs.ranking import rank_of
from jobs.runs import Claim
from jobs.states import State
from pirunner.bulk import unsynced
from pirunner.turns import take_turns
from webhooks.services import NewEvent, record_events, ring_deliveries


def start_many(*, job_type: JobType, claimer: Claimer) -> list[Claim]:
    """Claim what is most urgent and record that it started; return what was claimed, maybe nothing.

    Light jobs are over in milliseconds: who did not ask is not told that they started, so their claim need not reach
    the disk.
    """
    now = timezone.now()
    try:
        if job_type.light:
            with unsynced(), transaction.atomic():
                claims = claim_many(job_type=job_type, queue=job_type.queue, claimer=claimer, now=now)
                delivery_ids = _record_starts([claim for claim in claims if STARTED in claim.callback_events], now)
        else:
            with transaction.atomic():
                claims = _claim_heavy(job_type, claimer, now)
                results.record_starts(claims)
                delivery_ids = _record_starts(claims, now)
    except IntegrityError:
        return []  # another worker has just started a job of the same concurrency key
    ring_deliveries(delivery_ids)
    return claims


def _claim_heavy(job_type: JobType, claimer: Claimer, now: datetime) -> list[Claim]:
    if job_type.long and not _leaves_a_slot(claimer.instance):
        return []
    return claim_many(job_type=job_type, queue=job_type.queue, claimer=claimer, now=now)


def _record_starts(claims: Sequence[Claim], now: datetime) -> list[int]:
    return record_events([new_event(claim.subject, started_payload(claim), at=now) for claim in claims])


def _leaves_a_slot(instance: str) -> bool:
    """Return whether a worker may start another long job and still have a child for others, if it has two at all."""
    take_turns(f"long jobs of {instance}")
    long_types = [job_type.name for job_type in allowed().values() if job_type.long]
    running = Job.objects.active().filter(instance=instance, job_type__in=long_types).count()
    return running < max(1, settings.WORKER_CONCURRENCY - 1)


def end_many(endings: Sequence[Ending]) -> list[Ending]:
    """End runs in one transaction: rows, history, artifacts, deliveries, events. Return those that took effect.

    A run whose token is no longer valid (its lease ran out and somebody else has the job) changes nothing.
    """
    with transaction.atomic():
        effective = _close_rows(endings)
        results.record_ends(effective)
        Artifact.objects.bulk_create(_artifact_rows(effective))
        write_kept(effective)
        forget_checkpoints(effective)
        tally.record(Counter(ending.state for ending in effective))
        delivery_ids = record_events([_ended_event(ending) for ending in effective])
    ring_deliveries(delivery_ids)
    return effective


_CLOSE = """
UPDATE jobs_job
   SET state = %s, attempts_made = %s, result = %s, summary = %s, error = %s, error_class = %s, finished_at = %s,
       queued_at = %s, due_at = COALESCE(%s, due_at), rank = COALESCE(%s, rank),
       token = NULL, lease_expires_at = NULL, deadline_at = NULL, child_pid = NULL
 WHERE id = %s AND token = %s
"""


def _close_rows(endings: Sequence[Ending]) -> list[Ending]:
    """Move the rows on that their tokens still hold; others were given to another worker meanwhile."""
    ids = [ending.claim.job_id for ending in endings]
    rows = Job.objects.select_for_update().filter(pk__in=ids, token__isnull=False).order_by("pk")
    held = {(row.pk, row.token): row for row in rows.only("token", "lease_expires_at", "cancel_requested_by")}
    effective = [
        _or_cancelled(ending, by=row.cancel_requested_by)
        for ending in endings
        if (row := held.get((ending.claim.job_id, ending.claim.token))) and _may_end(ending, row)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_CLOSE, [_closing_values(ending) for ending in effective])
    return effective


def _may_end(ending: Ending, row: Job) -> bool:
    """Return whether an ending for an expired lease finds it expired still, now that the row is locked."""
    return ending.expired_by is None or row.lease_expires_at is None or row.lease_expires_at < ending.expired_by


def _or_cancelled(ending: Ending, *, by: str) -> Ending:
    """Return the ending, or that the job is cancelled: one that somebody cancelled does not run again."""
    return ending if ending.is_final or not by else cancelled(ending.claim, at=ending.at, by=by)


def _closing_values(ending: Ending) -> list[Any]:
    stored = connection.ops.adapt_datetimefield_value
    retry_at = ending.due_at if ending.state is State.DELAYED else None
    return [
        ending.state.value,
        ending.attempts_made,
        ending.result_text,
        ending.summary,
        ending.error,
        ending.error_class,
        stored(ending.at) if ending.is_final else None,
        stored(ending.at) if ending.state is State.WAITING else None,
        None if retry_at is None else stored(retry_at),
        None if retry_at is None else rank_of(ending.claim.priority, retry_at),
        ending.claim.job_id,
        ending.claim.token,
    ]


def _artifact_rows(endings: Sequence[Ending]) -> list[Artifact]:
    return [
        Artifact(
            job_id=ending.claim.job_id,
            run=ending.claim.run,
            name=artifact.name,
            media_type=artifact.media_type,
            size=artifact.size,
            sha256=artifact.sha256,
            path=str(Path(artifact.path).relative_to(settings.DATA_DIR)),
            created_at=ending.at,
        )
        for ending in endings
        for artifact in ending.artifacts
    ]


def _ended_event(ending: Ending) -> NewEvent:
    event = new_event(ending.claim.subject, ended_payload(ending), at=ending.at)
    return replace(event, callback_url="") if ending.is_quiet else event
