"""What workers and the clock write: runs that start, and runs that end, each in one fenced transaction."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from jobs import results
from jobs.claims import claim_many
from jobs.contract import JobType
from jobs.endings import Ending
from jobs.models import Artifact, Job
from jobs.payloads import CALLED_BACK, ended_payload, started_payload
from jobs.ranking import rank_of
from jobs.runs import Claim
from jobs.states import State
from pirunner.bulk import unsynced
from webhooks.services import NewEvent, record_events, ring_deliveries


def start_many(*, job_type: JobType, queue: str, worker: str, child_pid: int) -> list[Claim]:
    """Claim what is most urgent and record that it started; return what was claimed, maybe nothing.

    Light jobs are over in milliseconds: nobody is told that they started, so their claim need not reach the disk.
    """
    now = timezone.now()
    if job_type.light:
        with unsynced(), transaction.atomic():
            return claim_many(job_type=job_type, queue=queue, worker=worker, child_pid=child_pid, now=now)
    with transaction.atomic():
        claims = claim_many(job_type=job_type, queue=queue, worker=worker, child_pid=child_pid, now=now)
        results.record_starts(claims)
        record_events([_started_event(claim) for claim in claims])
    return claims


def end_many(endings: Sequence[Ending]) -> list[Ending]:
    """End runs in one transaction: rows, history, artifacts, deliveries, events. Return those that took effect.

    A run whose token is no longer valid (its lease ran out and somebody else has the job) changes nothing.
    """
    with transaction.atomic():
        effective = _close_rows(endings)
        results.record_ends(effective)
        Artifact.objects.bulk_create(_artifact_rows(effective))
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
    held = set(Job.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", "token"))
    effective = [ending for ending in endings if (ending.claim.job_id, ending.claim.token) in held]
    with connection.cursor() as cursor:
        cursor.executemany(_CLOSE, [_closing_values(ending) for ending in effective])
    return effective


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


def _started_event(claim: Claim) -> NewEvent:
    payload = started_payload(claim)
    return NewEvent(
        job_id=claim.job_id,
        kind=payload.kind,
        event_id=payload.event_id,
        at=claim.started_at,
        text=payload.text,
    )


def _ended_event(ending: Ending) -> NewEvent:
    payload = ended_payload(ending)
    wanted = ending.state in CALLED_BACK
    return NewEvent(
        job_id=ending.claim.job_id,
        kind=payload.kind,
        event_id=payload.event_id,
        at=ending.at,
        text=payload.text,
        callback_url=(ending.claim.callback_url or settings.CALLBACK_URL) if wanted else "",
    )
