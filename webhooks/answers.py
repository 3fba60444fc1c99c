"""How an attempt at a delivery went, and what follows from it: pure values."""

from dataclasses import dataclass
from datetime import datetime

from webhooks.models import Delivery

GONE = 410
SLOW_DOWN = frozenset({429, 502, 503, 504})
"""Standard Webhooks: the receiver, or the gateway before it, has too much to do."""
BAD_STATUS = "bad_status"
INTERNAL = "internal_error"
SENDER_LOST = "sender_lost"
"""The error of an attempt whose sender ended before it could note how it went."""
HOST_ERRORS = frozenset({"connection_failed", "tls_failed", "deadline_exceeded", "name_not_resolved"})
"""What is the fault of a host, not of one address on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The receiver's answer to one attempt, or the error that kept it from answering.

    ``error`` is a word for programs, "" when it was delivered, and ``detail`` says it in a sentence; ``ms`` is how
    long it took, ``retry_after`` the wish of the receiver in seconds, ``body`` what it answered, as text.
    """

    at: datetime
    ms: int
    status: int | None = None
    error: str = ""
    detail: str = ""
    body: str = ""
    permanent: bool = False
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it (Standard Webhooks: any 2xx)."""
        return is_success(self.status)

    @property
    def slow_down(self) -> bool:
        """Whether the host asked for less."""
        return self.status in SLOW_DOWN

    @property
    def blames_host(self) -> bool:
        """Whether other callbacks to the same host would fail as well."""
        return self.slow_down or self.error in HOST_ERRORS


def is_success(status: int | None) -> bool:
    """Return whether a status means that the receiver took the callback."""
    return status is not None and 200 <= status < 300


def state_after(answer: Answer, *, tries: int, allowed: int) -> Delivery.State:
    """Return where a delivery stands after so many tries of those that are allowed."""
    if answer.delivered:
        return Delivery.State.DELIVERED
    if answer.permanent or tries >= allowed:
        return Delivery.State.DEAD
    return Delivery.State.PENDING
