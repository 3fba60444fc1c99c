"""Who is there: workers, clock and relay with their last sign of life."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from jobs import canary
from pirunner.dashboard.look import Look, moment_of
from pirunner.signs import RELAY, Signs

ROLES = {"worker": "Worker", "io": "Callbacks", "clock": "Clock", RELAY: "Relay"}


@dataclass(frozen=True, slots=True)
class Process:
    """One process, or the place of one that is missing."""

    role: str
    name: str
    state: str
    at: datetime | None = None


def show(look: Look) -> dict[str, Any]:
    """Return the processes, those that are missing too, and when a worker last answered."""
    age = canary.age(look.now)
    return {
        "is_known": look.signs is not None,
        "processes": list(processes_of(look.signs, relay=settings.RELAY)),
        "heard_at": None if age is None else moment_of(look.now.timestamp() - age),
    }


def processes_of(signs: Signs | None, *, relay: bool) -> Iterator[Process]:
    """Yield every process that shows itself, and for each role that shows none, that it is missing."""
    for role, title in ROLES.items():
        if signs is None:
            if role != RELAY or relay:
                yield Process(title, "", "unknown")
            continue
        there = signs.get(role, {})
        for name, at in sorted(there.items()):
            yield Process(title, name, "ok", moment_of(at))
        if not there and (role != RELAY or relay):
            yield Process(title, "", "silent" if role == RELAY else "down")
