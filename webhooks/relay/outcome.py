"""How it went to send a message to a service."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """An empty ``error`` says that the service took it; else it is a sentence without secrets.

    ``retry_after`` (seconds) is what the service asked for.
    """

    error: str = ""
    retry_after: float | None = None
