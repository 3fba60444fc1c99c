"""Steering jobs that exist: cancel, retry, delete."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from jobs import results, tally
from jobs.artifacts import delete_folder
from jobs.catalog import find
from jobs.endings import cancelled_reason
from jobs.events import new_event
from jobs.models import Job
from jobs.payloads import cancelled_payload, requeued_payload
from jobs.ranking import rank_of
from jobs.runs import Subject
from jobs.states import FINAL_STATES, State
from pirunner.doorbell import Ring, doorbell
from pirunner.errors import Conflict, NotFound
from webhooks.services import NewEvent, record_events, ring_deliveries


class JobActive(Conflict):
    """The job is running; it can be deleted when it has ended."""

    code = "job_active"


class JobEnded(Conflict):
    """The job has ended; there is nothing left to cancel."""

    code = "job_ended"


class JobNotEnded(Conflict):
    """The job has not ended; it can be retried when it has."""

    code = "job_not_ended"


def cancel_job(job_id: int, *, by: str) -> Job:
    """Cancel a job: at once if it does not run, else within 10 s by its worker. Returns the row as it is then.

    Cancelling a cancelled job changes nothing. Raises ``NotFound``, or ``JobEnded`` if it completed or failed.
    """
    now = timezone.now()
    with transaction.atomic():
        job = _locked(job_id)
        if job.state in FINAL_STATES - {State.CANCELLED}:
            raise JobEnded(f"Job {job_id} has {job.state} already.")
        events = request_cancel(job, by=by, now=now)
        tally.record({State.CANCELLED: len(events)})
        delivery_ids = record_events(events)
    ring_deliveries(delivery_ids)
    job.refresh_from_db()
    return job


def request_cancel(job: Job, *, by: str, now: datetime) -> list[NewEvent]:
    """Cancel a locked row that does not run, or ask its worker to.

    Returns one event if the job is cancelled now, else none: count it in the tally, and record it last.
    """
    if job.state in FINAL_STATES or job.cancel_requested_at is not None:
        return []
    row = Job.objects.filter(pk=job.pk)
    row.update(cancel_requested_at=now, cancel_requested_by=by)
    if job.state == State.ACTIVE:
        return []
    row.update(state=State.CANCELLED, finished_at=now, error=cancelled_reason(by), error_class="Cancelled")
    return [new_event(subject_of(job), cancelled_payload(subject_of(job), by=by), at=now)]


def retry_job(job_id: int, *, by: str) -> Job:
    """Run an ended job again from its first attempt; its earlier runs and their files stay in its history.

    Raises ``NotFound``, or ``JobNotEnded``.
    """
    now = timezone.now()
    with transaction.atomic():
        job = _locked(job_id)
        if job.state not in FINAL_STATES:
            raise JobNotEnded(f"Job {job_id} is {job.state}; it can be retried when it has ended.")
        Job.objects.filter(pk=job_id).update(
            state=State.WAITING,
            attempts_made=0,
            due_at=now,
            queued_at=now,
            rank=rank_of(job.priority, now),
            finished_at=None,
            cancel_requested_at=None,
            cancel_requested_by="",
            progress=0,
            status_message="",
            result=None,
            summary="",
            error="",
            error_class="",
        )
        tally.record({State(job.state): -1})
        record_events([new_event(subject_of(job), requeued_payload(subject_of(job), by=by), at=now)])
    job_type = find(job.job_type)
    shared = job_type is not None and job_type.light
    doorbell.ring([Ring(results.task_name(job.job_type), job.pk, job.queue, job.priority, shared=shared)])
    job.refresh_from_db()
    return job


def delete_job(job_id: int) -> None:
    """Delete a job that is not active, with its artifacts and history. Raises ``NotFound`` or ``JobActive``."""
    with transaction.atomic():
        job = _locked(job_id)
        if job.state == State.ACTIVE:
            raise JobActive(f"Job {job_id} is running; cancel it first, or delete it when it has ended.")
        results.delete_history({job.pk: job.run})
        job.delete()
        tally.record({State(job.state): -1})
    delete_folder(job_id)


def subject_of(job: Job) -> Subject:
    """Return what events say of a job."""
    return Subject(job.pk, job.job_type, job.metadata, job.callback_url, job.callback_events)


def _locked(job_id: int) -> Job:
    job = Job.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return job
