"""The events of jobs, and who is called back for which."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from jobs.payloads import KINDS, PROGRESS, Payload
from jobs.runs import Subject
from jobs.states import FINAL_STATES, State
from webhooks.services import NewEvent

ENDS = frozenset(KINDS[state] for state in FINAL_STATES)
"""The events that a callback URL is told of without being asked."""
STARTED = KINDS[State.ACTIVE]
MISSED = "schedule.missed"
RECOVERED = "runner.recovered"
OPT_IN = (STARTED, PROGRESS, MISSED, RECOVERED)
"""The events that a submission may ask for besides, in ``callbackEvents``."""


def new_event(subject: Subject, payload: Payload, *, at: datetime) -> NewEvent:
    """Return an event of a job, with its callback if somebody is to be called for it."""
    return NewEvent(
        job_id=subject.job_id,
        kind=payload.kind,
        event_id=payload.event_id,
        at=at,
        text=payload.text,
        callback_url=callback_url_for(payload.kind, subject.callback_url, subject.callback_events),
    )


def callback_url_for(kind: str, callback_url: str, callback_events: str) -> str:
    """Return who is called for an event of this kind, "" for nobody; an empty URL means the owner's ``CALLBACK_URL``.

    ``callback_events`` are the kinds that were asked for besides the ends, with blanks between.
    """
    wanted = kind in ENDS or kind in callback_events.split()
    return (callback_url or settings.CALLBACK_URL) if wanted else ""


def opted_in(kinds: Iterable[str] | None) -> str:
    """Return the kinds that were asked for besides the ends as a row keeps them: each once, with blanks between."""
    return " ".join(dict.fromkeys(kind for kind in kinds or () if kind not in ENDS))
