"""Endings: what becomes of a run. Pure decisions; ``jobs.services.end_many`` writes them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jobs.contract import StoredArtifact
from jobs.errors import DoNotRetry, RetryAfter
from jobs.retries import retry_delay
from jobs.runs import Claim
from jobs.states import FINAL_STATES, State
from webhooks.ecmascript_json import dumps, is_plain

ERROR_LENGTH = 2000
SUMMARY_LENGTH = 500
LOST = "worker lost"
"""How the reason begins for which a run is taken back from its worker."""
RESULT_LENGTH = 2 * 1024 * 1024  # an input of the largest size comes back whole
ERROR_CLASS_LENGTH = 100
LONGEST_WISH = 365 * 24 * 3600.0
"""Seconds that ``RetryAfter`` may ask for; beyond that it is a handler's mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of one run: the state its job goes to, and what is recorded with it.

    ``result_text`` is the result as JSON.
    ``counted`` tells whether the run uses up an attempt; ``due_at`` is when a delayed or waiting job is next due.
    ``kept`` is what the type keeps for its next job, ``checkpointed`` says that this run wrote checkpoints, and
    ``is_quiet`` that nobody is called back because there was nothing to tell.
    With ``expired_by`` it takes effect only if the lease was over by then: a worker may renew until the last moment.
    """

    claim: Claim
    state: State
    at: datetime
    counted: bool = True
    expired_by: datetime | None = None
    due_at: datetime | None = None
    result: Mapping[str, Any] | None = None
    result_text: str | None = None
    summary: str = ""
    error: str = ""
    error_class: str = ""
    traceback: str = ""
    artifacts: tuple[StoredArtifact, ...] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)
    checkpointed: bool = False
    is_quiet: bool = False

    @property
    def attempts_made(self) -> int:
        """Attempts of the job that have ended, this one included if it counts."""
        return self.claim.attempts_made + int(self.counted)

    @property
    def is_final(self) -> bool:
        """Whether the job ends with this run."""
        return self.state in FINAL_STATES


def completed(
    claim: Claim,
    result: Mapping[str, Any],
    *,
    at: datetime,
    artifacts: tuple[StoredArtifact, ...] = (),
    kept: Mapping[str, Any] | None = None,
    checkpointed: bool = False,
    may_be_quiet: bool = False,
) -> Ending:
    """Return the ending of a run whose handler returned a result; ``may_be_quiet`` is what its type declares.

    Raises ``TypeError`` or ``ValueError`` when the result is no JSON, ``DoNotRetry`` when it is too large.
    """
    if not isinstance(result, Mapping):
        raise TypeError(f"A handler returns a dict, not {type(result).__name__}.")
    result_text = json.dumps(result, separators=(",", ":"), allow_nan=False)
    if len(result_text) > RESULT_LENGTH:
        raise DoNotRetry(f"The result has {len(result_text)} characters of JSON; {RESULT_LENGTH} are allowed.")
    plain = result if is_plain(result) else _as_read_back(result_text)
    summary = printable(str(plain.get("summary") or ""), SUMMARY_LENGTH)
    return Ending(
        claim=claim,
        state=State.COMPLETED,
        at=at,
        result=plain,
        result_text=result_text,
        summary=summary,
        artifacts=artifacts,
        kept=kept or {},
        checkpointed=checkpointed,
        is_quiet=may_be_quiet and plain.get("notify") is False,
    )


def _as_read_back(result_text: str) -> dict[str, Any]:
    """Return an unusual result as its readers will get it.

    Raises ``ValueError`` for what a callback cannot spell (a number beyond a double): better here than at the end.
    """
    value: dict[str, Any] = json.loads(result_text)
    dumps(value)
    return value


def attempt_failed(
    claim: Claim,
    error: BaseException,
    *,
    at: datetime,
    backoff_seconds: float,
    jitter: float,
    traceback: str = "",
) -> Ending:
    """Return the ending of a run whose handler raised: the job is retried later, or has failed.

    ``backoff_seconds`` is the type's base delay, ``jitter`` a number from -1 to 1.
    """
    last = claim.attempt >= claim.max_attempts or isinstance(error, DoNotRetry)
    if isinstance(error, RetryAfter):
        delay = min(max(0.0, error.seconds), LONGEST_WISH)
    else:
        delay = retry_delay(claim.attempt, base_seconds=backoff_seconds, jitter=jitter)
    return Ending(
        claim=claim,
        state=State.FAILED if last else State.DELAYED,
        at=at,
        due_at=None if last else at + timedelta(seconds=delay),
        error=printable(str(error) or type(error).__name__, ERROR_LENGTH),
        error_class=type(error).__name__[:ERROR_CLASS_LENGTH],
        traceback=printable(traceback, 20_000),
    )


def worker_lost(claim: Claim, *, at: datetime, reason: str) -> Ending:
    """Return the ending of a run whose worker died, froze or was ended.

    The job waits again at once while attempts are left. Jobs that were claimed together get their attempt back:
    which of them was to blame is unknown, and the next claim takes each alone.
    """
    if claim.chained > 1:
        return given_back(claim, at=at, reason=reason)
    last = claim.attempt >= claim.max_attempts
    return Ending(
        claim=claim,
        state=State.FAILED if last else State.WAITING,
        at=at,
        due_at=None if last else at,
        error=reason,
        error_class="WorkerLost",
    )


def cancelled(claim: Claim, *, at: datetime, by: str) -> Ending:
    """Return the ending of a run that somebody cancelled."""
    return Ending(
        claim=claim, state=State.CANCELLED, at=at, counted=False, error=cancelled_reason(by), error_class="Cancelled"
    )


def cancelled_reason(by: str) -> str:
    """Return the sentence that tells who cancelled a job."""
    return f"cancelled by {by}"


def given_back(claim: Claim, *, at: datetime, reason: str) -> Ending:
    """Return the ending of a run that its worker gives back unharmed: no attempt is used up."""
    return Ending(
        claim=claim,
        state=State.WAITING,
        at=at,
        due_at=at,
        counted=False,
        error=reason,
        error_class="GivenBack",
    )


def printable(text: str, length: int) -> str:
    """Return text that every database can keep: no NUL, no lone surrogates, at most so many characters."""
    clean = text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= length else clean[: length - 1] + "…"
