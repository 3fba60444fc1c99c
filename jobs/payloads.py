"""What an event tells: the body of a callback, in pi-agent-runner's shape with a few fields beside it."""

import secrets
from dataclasses import dataclass
from typing import Any

from jobs.endings import Ending
from jobs.runs import Claim
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
CALLED_BACK = frozenset({State.COMPLETED, State.FAILED})
"""The ends that a callback URL is told of without being asked."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A serialised event: its kind, its id, and its JSON text as V8 would write it."""

    kind: str
    event_id: str
    text: str


def started_payload(claim: Claim) -> Payload:
    """Return the event of a run that begins."""
    body = {**_head(claim, State.ACTIVE), "startedAt": iso(claim.started_at), "attempt": claim.attempt}
    return _payload(claim, State.ACTIVE, body)


def ended_payload(ending: Ending) -> Payload:
    """Return the event of a run that ended."""
    body = _completed(ending) if ending.state is State.COMPLETED else _not_completed(ending)
    return _payload(ending.claim, ending.state, body)


def _payload(claim: Claim, state: State, body: dict[str, Any]) -> Payload:
    event_id = f"evt_{secrets.token_hex(12)}"
    body["eventId"] = event_id
    if claim.metadata is not None:
        body["metadata"] = claim.metadata
    return Payload(KINDS[state], event_id, dumps(body))


def _head(claim: Claim, state: State) -> dict[str, Any]:
    return {"jobId": str(claim.job_id), "jobType": claim.job_type, "status": state.value}


def _completed(ending: Ending) -> dict[str, Any]:
    result = ending.result or {}
    return {
        **_head(ending.claim, ending.state),
        "startedAt": iso(ending.claim.started_at),
        "finishedAt": iso(ending.at),
        "summary": ending.summary,
        "artifactPath": result.get("artifactPath"),
        "data": dict(result),
    }


def _not_completed(ending: Ending) -> dict[str, Any]:
    body = {
        **_head(ending.claim, ending.state),
        "error": ending.error,
        "attemptsMade": ending.attempts_made,
    }
    if ending.due_at is not None:
        body["nextAttemptAt"] = iso(ending.due_at)
    return body
