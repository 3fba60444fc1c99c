"""The job that a schedule submits, and what keeps it from being accepted."""

from datetime import timedelta
from typing import Any

from jobs.catalog import find
from jobs.models import Job
from jobs.references import check_input, resolve
from jobs.services import NewJob
from schedules.models import Schedule
from schedules.plan import Row
from schedules.quiet import jitter_of
from schedules.rules import Backend, Outcome, Overlap, Reason


def refusal_of(schedule: Schedule) -> Reason:
    """Return why no job of a schedule would be accepted just now, if so."""
    job_type = find(schedule.job_type)
    if job_type is None:
        return Reason.UNKNOWN_JOB_TYPE
    _, faults = check_input(job_type, schedule.input, owner=schedule.owner)
    if faults:
        return Reason.INVALID_INPUT
    rejects = schedule.concurrency_key and schedule.on_conflict == "reject"
    if rejects and Job.objects.open_of_key(schedule.concurrency_key).exists():
        return Reason.CONCURRENCY_KEY
    return Reason.NONE


def new_job(schedule: Schedule, row: Row) -> NewJob:
    """Return the job for a row that fires; raises ``LookupError`` if its type does not exist."""
    job_type = find(schedule.job_type)
    if job_type is None:
        raise LookupError(f"{schedule} fires a job type that does not exist: {schedule.job_type}.")
    return NewJob(
        job_type=job_type,
        input=resolve(job_type, schedule.input, owner=schedule.owner)[0],
        owner=schedule.owner,
        priority=schedule.priority,
        metadata=_metadata(schedule),
        concurrency_key=_concurrency_key(schedule, row),
        on_conflict=_on_conflict(schedule),
        callback_url=schedule.callback_url,
        callback_events=schedule.callback_events,
        schedule=schedule.timing,
        schedule_id=schedule.public_id,
        backend=schedule.backend_alias,
        due_at=row.due_at + _jitter(schedule, row),
    )


def _metadata(schedule: Schedule) -> Any:
    """Return the client's metadata; a job of systemd's tells in it where it comes from, as pi-agent-runner's did."""
    if schedule.backend != Backend.SYSTEMD:
        return schedule.metadata
    return {**(schedule.metadata or {}), "scheduleBackend": schedule.backend, "scheduleId": schedule.public_id}


def _concurrency_key(schedule: Schedule, row: Row) -> str:
    """Return the key under which jobs of a schedule run one at a time: the client's, or its own.

    Where one is not fired beside another, what is caught up still comes in numbers.
    """
    caught_up = row.outcome is Outcome.CAUGHT_UP and schedule.overlap == Overlap.SKIP
    one_at_a_time = caught_up or schedule.overlap in {Overlap.QUEUE, Overlap.REPLACE}
    return schedule.concurrency_key or (f"schedule {schedule.public_id}" if one_at_a_time else "")


def _on_conflict(schedule: Schedule) -> str:
    """Return what is done about other jobs of the key; whether the job is wanted beside them is decided already."""
    replaces = schedule.overlap == Overlap.REPLACE or schedule.on_conflict == "replace"
    return "replace" if replaces else "queue"


def _jitter(schedule: Schedule, row: Row) -> timedelta:
    if row.outcome is not Outcome.FIRED or row.reason is Reason.RUN_NOW:
        return timedelta(0)
    return jitter_of(schedule.public_id, row.due_at, schedule.jitter_seconds)
