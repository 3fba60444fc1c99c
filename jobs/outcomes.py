"""What became of each input of a job that takes many, and of the job that way. No Django, no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobs.errors import DoNotRetry, JobFailed, RetryAfter

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one input came to nothing: a word for programs, a sentence, and whether another try may go better."""

    code: str
    message: str
    retryable: bool = False
    retry_after: float | None = None

    def document(self) -> dict[str, Any]:
        """Return it as it stands in a result."""
        return {"code": self.code, "message": self.message, "retryable": self.retryable}


def insist_on_one(failures: Sequence[tuple[str, Failure]], total: int, noun: str) -> None:
    """Raise when every input failed, with the reasons of the first few.

    ``failures`` are pairs of what people call the input and why it failed. ``DoNotRetry`` when no other try could go
    better, ``RetryAfter`` when a server said how long to wait, else ``JobFailed``.
    """
    if len(failures) < total:
        return
    reasons = " ".join(f"{name}: {failure.message}" for name, failure in failures[:_NAMED])
    more = f" And {len(failures) - _NAMED} more." if len(failures) > _NAMED else ""
    sentence = f"None of the {total} {noun}s could be read. {reasons}{more}" if total > 1 else reasons
    if not any(failure.retryable for _, failure in failures):
        raise DoNotRetry(sentence)
    waits = [failure.retry_after for _, failure in failures if failure.retryable and failure.retry_after]
    if waits:
        raise RetryAfter(min(waits), sentence)
    raise JobFailed(sentence)
