"""The events of jobs, and who is called back for which."""

from datetime import datetime

from django.conf import settings

from jobs.payloads import KINDS, Payload
from jobs.runs import Subject
from jobs.states import FINAL_STATES
from webhooks.services import NewEvent

CALLED_BACK = frozenset(KINDS[state] for state in FINAL_STATES)
"""The events that a callback URL is told of without being asked: the ends."""


def new_event(subject: Subject, payload: Payload, *, at: datetime) -> NewEvent:
    """Return an event of a job, with its callback if somebody is to be called for it."""
    wanted = payload.kind in CALLED_BACK
    return NewEvent(
        job_id=subject.job_id,
        kind=payload.kind,
        event_id=payload.event_id,
        at=at,
        text=payload.text,
        callback_url=(subject.callback_url or settings.CALLBACK_URL) if wanted else "",
    )
