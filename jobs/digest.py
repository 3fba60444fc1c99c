"""The digest of a job: what an agent needs to know of it, in few tokens, and what to do next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobs.states import State

SUMMARY_LENGTH = 300
LINE_LENGTH = 200
LINES = 5
LINKS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is known of a job; ``due`` is a moment as the API writes it, ``lines`` and ``links`` are in order."""

    job_id: str
    state: State
    progress: int
    status_message: str
    summary: str
    error: str
    error_class: str
    attempts_made: int
    max_attempts: int
    due: str
    cancel_requested: bool
    lines: Sequence[str]
    links: Sequence[str]


def digest_of(job: Account) -> dict[str, Any]:
    """Return the digest; where there is more than it may hold, it has the last lines and the first links."""
    told = job.summary or job.error or job.status_message
    return {
        "summary": capped(told, SUMMARY_LENGTH) or None,
        "errorClass": job.error_class or None,
        "lastLog": [capped(line, LINE_LENGTH) for line in job.lines[-LINES:]],
        "artifacts": list(job.links[:LINKS]),
        "next": next_step(job),
    }


def next_step(job: Account) -> str:
    """Return one sentence that says what to do about a job in its state."""
    wait = f"GET /jobs/{job.job_id}?wait=50"
    steps = {
        State.DELAYED: f"It begins at {job.due}; nothing is to be done until then, or POST /jobs/{job.job_id}/cancel.",
        State.WAITING: f"It waits for a free worker; {wait} answers when it ends.",
        State.ACTIVE: f"It is running ({job.progress} %); {wait} answers when it ends.",
        State.COMPLETED: "It is done: read returnvalue.",
        State.FAILED: f"Read failedReason, mend the cause, and POST /jobs/{job.job_id}/retry.",
        State.CANCELLED: f"It was cancelled and will not run, unless you POST /jobs/{job.job_id}/retry.",
    }
    return _special_step(job, wait) or steps[job.state]


def _special_step(job: Account, wait: str) -> str | None:
    match job.state:
        case State.DELAYED if job.attempts_made:
            attempts = f"Attempt {job.attempts_made} of {job.max_attempts} failed"
            return f"{attempts}, the next begins at {job.due}; {wait} answers when the job ends."
        case State.ACTIVE if job.cancel_requested:
            return f"It is being cancelled; {wait} answers as soon as it has stopped."
        case State.COMPLETED if job.links:
            return "It is done: read returnvalue, and GET the artifacts for its files."
        case State.FAILED if job.error_class == "DoNotRetry":
            return "It would fail again as it is: mend what failedReason says, and submit a new job."
    return None


def capped(text: str, length: int) -> str:
    """Return the text, or its beginning with an ellipsis, at most so many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"
