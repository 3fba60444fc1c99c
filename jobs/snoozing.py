"""Snoozing a reminder: it comes again later, and says how often it was put off.

One that has not been sent yet is moved. One that has been sent gets a successor, a job of its own that names the first
one (``snoozeOf``); snoozed again before that is due, the successor is moved, so that a repeated request makes no
second one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from jobs.catalog import find
from jobs.models import Job
from jobs.ranking import rank_of
from jobs.run_at import RunAtFault, parse_run_at
from jobs.services import NewJob, write_jobs
from jobs.states import State
from jobs.validation import faults_of
from pirunner.errors import Conflict, Fault, InvalidPayload, NotFound
from pirunner.times import iso
from pirunner.turns import take_turns
from pirunner.zones import find_zone
from webhooks.services import record_events

REMINDER = "reminder"
LONGEST = 366 * 24 * 3600
_OPEN = (State.DELAYED, State.WAITING)


class NotAReminder(Conflict):
    """Only reminders can be snoozed."""

    code = "not_a_reminder"


class CannotSnooze(Conflict):
    """The reminder is in a state from which it cannot come again."""

    code = "cannot_snooze"


class SnoozeBody(msgspec.Struct, frozen=True, rename="camel"):
    """The body of ``PATCH /jobs/<id>`` for a reminder: how long, or until when."""

    action: str
    seconds: Annotated[int, msgspec.Meta(ge=1, le=LONGEST)] | None = None
    until: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


_SCHEMA = msgspec.json.schema(SnoozeBody)["$defs"]["SnoozeBody"]


@dataclass(frozen=True, slots=True)
class Snoozed:
    """What came of it: the job that will remind, when, and the how-manieth time."""

    job_id: int
    due_at: datetime
    snoozes: int


def wants_snooze(raw: Any) -> bool:
    """Return whether the body of a ``PATCH`` asks to snooze."""
    return isinstance(raw, dict) and raw.get("action") == "snooze"


def due_at_of(raw: Any, now: datetime) -> datetime:
    """Return until when a body snoozes; raises ``InvalidPayload``. Without an offset, ``until`` is in ``TZ``."""
    try:
        body = msgspec.convert(raw, SnoozeBody)
    except msgspec.ValidationError:
        raise InvalidPayload(faults_of(_SCHEMA, raw)) from None
    if (body.seconds is None) == (body.until is None):
        raise InvalidPayload([Fault((), "invalid_value", 'Send either "seconds" or "until".')])
    if body.seconds is not None:
        return now + timedelta(seconds=body.seconds)
    try:
        due_at = parse_run_at(body.until or "", find_zone(settings.TIME_ZONE), now)
    except RunAtFault as error:
        raise InvalidPayload([Fault(("until",), "invalid_date", str(error))]) from None
    if due_at > now + timedelta(seconds=LONGEST):
        raise InvalidPayload([Fault(("until",), "too_big", "A reminder can be put off by a year; make a new one.")])
    return due_at


def snooze(job_id: int, due_at: datetime) -> Snoozed:
    """Let a reminder come (again) at ``due_at``; on disk when this returns.

    Raises ``NotFound``, ``NotAReminder``, or ``CannotSnooze`` for one that is being sent, failed or was cancelled, or
    would come earlier than it was made for.
    """
    now = timezone.now()
    with transaction.atomic():
        # The turn before any row: whoever has it may lock the successor, which somebody else snoozes just now.
        take_turns(f"snooze {_first_of(_reminder(job_id))}")
        job = _locked(job_id)
        _check_later(job, due_at)
        later = _successor(job) if job.state == State.COMPLETED else job
        if later is None:
            return _follow_up(job, due_at, now)
        return _move(later, due_at)


def _reminder(job_id: int, *, locked: bool = False) -> Job:
    jobs = Job.objects.select_for_update() if locked else Job.objects.all()
    job = jobs.filter(pk=job_id).first()
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    if job.job_type != REMINDER:
        raise NotAReminder(f"Job {job_id} is a {job.job_type}, and only reminders are snoozed; submit a new job.")
    return job


def _locked(job_id: int) -> Job:
    job = _reminder(job_id, locked=True)
    if job.state not in {*_OPEN, State.COMPLETED}:
        advice = "try again in a moment" if job.state == State.ACTIVE else f"POST /jobs/{job_id}/retry, or a new one"
        raise CannotSnooze(f"Reminder {job_id} is {job.state}; {advice}.")
    return job


def _check_later(job: Job, due_at: datetime) -> None:
    # What was snoozed before may come earlier: somebody has thought again.
    if job.state == State.DELAYED and not _count(job) and due_at < job.due_at:
        raise CannotSnooze(
            f"Reminder {job.pk} comes at {iso(job.due_at)}, and snoozing never makes one earlier; name a later "
            'moment in "until", or delete it and submit another.'
        )


def _first_of(job: Job) -> str:
    return str(job.input.get("snoozeOf") or job.pk)


def _key_of(job: Job) -> str:
    """Return the concurrency key of a successor: that of the first reminder, else one that stands for it."""
    return job.concurrency_key or f"snooze {_first_of(job)}"


def _successor(job: Job) -> Job | None:
    """Return the reminder that was made when this one, or one before it, was snoozed, if it is still to come."""
    later = Job.objects.select_for_update().open_of_key(_key_of(job)).filter(job_type=REMINDER, state__in=_OPEN)
    return next((other for other in later if other.input.get("snoozeOf") == _first_of(job)), None)


def _move(job: Job, due_at: datetime) -> Snoozed:
    snoozes = _count(job) + 1
    Job.objects.filter(pk=job.pk, state__in=_OPEN).update(
        state=State.DELAYED,
        due_at=due_at,
        queued_at=None,
        rank=rank_of(job.priority, due_at),
        input={**job.input, "snoozes": snoozes},
    )
    return Snoozed(job.pk, due_at, snoozes)


def _follow_up(job: Job, due_at: datetime, now: datetime) -> Snoozed:
    job_type = find(REMINDER)
    if job_type is None:
        raise NotAReminder("The job type reminder may not run here (any more).")
    snoozes = _count(job) + 1
    new_job = NewJob(
        job_type=job_type,
        input={**job.input, "snoozes": snoozes, "snoozeOf": _first_of(job)},
        owner=job.owner,
        priority=job.priority,
        metadata=job.metadata,
        concurrency_key=_key_of(job),
        callback_url=job.callback_url,
        callback_events=job.callback_events,
        schedule={"runAt": due_at.isoformat()},
        backend=job.backend,
        due_at=due_at,
    )
    written = write_jobs([new_job], now)
    record_events(written.events)
    return Snoozed(written.jobs[0][0].pk, due_at, snoozes)


def _count(job: Job) -> int:
    count = job.input.get("snoozes")
    return count if type(count) is int else 0
