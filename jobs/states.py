"""The states of a job; ``jobs.models`` tells who moves it from one to the next."""

from enum import StrEnum


class State(StrEnum):
    """Where a job stands."""

    DELAYED = "delayed"
    WAITING = "waiting"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATES = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})
