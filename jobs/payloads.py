"""What an event tells: the body of a callback, in pi-agent-runner's shape with a few fields beside it."""

import secrets
from dataclasses import dataclass
from typing import Any

from jobs.endings import Ending, cancelled_reason
from jobs.runs import Claim, Subject
from jobs.states import State
from pirunner.times import iso
from webhooks.ecmascript_json import dumps

KINDS = {
    State.ACTIVE: "job.started",
    State.COMPLETED: "job.completed",
    State.FAILED: "job.failed",
    State.CANCELLED: "job.cancelled",
    State.DELAYED: "job.retrying",
    State.WAITING: "job.requeued",
}
PROGRESS = "job.progress"


@dataclass(frozen=True, slots=True)
class Payload:
    """A serialised event: its kind, its id, and its JSON text as V8 would write it."""

    kind: str
    event_id: str
    text: str


def started_payload(claim: Claim) -> Payload:
    """Return the event of a run that begins."""
    more = {"startedAt": iso(claim.started_at), "attempt": claim.attempt}
    return _payload(claim.subject, State.ACTIVE, more)


def progress_payload(claim: Claim, *, percent: int, message: str) -> Payload:
    """Return the event of a run that says how far it is."""
    more = {"progress": percent, "statusMessage": message, "attempt": claim.attempt}
    return _payload(claim.subject, State.ACTIVE, more, kind=PROGRESS)


def cancelled_payload(subject: Subject, *, by: str) -> Payload:
    """Return the event of a job that was cancelled before it ran."""
    return _payload(subject, State.CANCELLED, {"error": cancelled_reason(by)})


def requeued_payload(subject: Subject, *, by: str) -> Payload:
    """Return the event of an ended job that is run again because somebody asked for it."""
    return _payload(subject, State.WAITING, {"retriedBy": by})


def ended_payload(ending: Ending) -> Payload:
    """Return the event of a run that ended."""
    more = _completed(ending) if ending.state is State.COMPLETED else _not_completed(ending)
    return _payload(ending.claim.subject, ending.state, more)


def _payload(subject: Subject, state: State, more: dict[str, Any], *, kind: str = "") -> Payload:
    event_id = f"evt_{secrets.token_hex(12)}"
    head = {"jobId": str(subject.job_id), "jobType": subject.job_type, "status": state.value}
    tail = {"eventId": event_id} if subject.metadata is None else {"eventId": event_id, "metadata": subject.metadata}
    return Payload(kind or KINDS[state], event_id, dumps({**head, **more, **tail}))


def _completed(ending: Ending) -> dict[str, Any]:
    result = ending.result or {}
    return {
        "startedAt": iso(ending.claim.started_at),
        "finishedAt": iso(ending.at),
        "summary": ending.summary,
        "artifactPath": result.get("artifactPath"),
        "data": dict(result),
    }


def _not_completed(ending: Ending) -> dict[str, Any]:
    body: dict[str, Any] = {
        "error": ending.error,
        "attemptsMade": ending.attempts_made,
    }
    if ending.due_at is not None:
        body["nextAttemptAt"] = iso(ending.due_at)
    return body
