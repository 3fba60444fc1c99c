"""Is it healthy: one sentence, and whatever needs the owner."""

from typing import Any

from django.urls import reverse

from pirunner.dashboard.complaints import (
    Complaint,
    Level,
    complaints_about_callbacks,
    complaints_about_health,
    complaints_about_machine,
)
from pirunner.dashboard.look import Look


def show(look: Look) -> dict[str, Any]:
    """Return the sentence, its level, and the complaints, the worst first."""
    found = [*complaints_about_health(look.health), *complaints_about_machine(look.machine)]
    if look.may("webhooks.view_delivery"):
        found.extend(complaints_about_callbacks(look.deliveries))
    complaints = sorted(found, key=lambda complaint: complaint.level is not Level.BAD)
    return {
        "level": "ok" if not complaints else complaints[0].level.value,
        "sentence": sentence(complaints, runs=look.health["ok"]),
        "complaints": [(complaint, reverse(complaint.page) if complaint.page else "") for complaint in complaints],
        "parts": [(name, look.health[part]["state"]) for part, name in PARTS.items()],
    }


PARTS = {
    "database": "database",
    "broker": "broker",
    "workers": "workers",
    "beat": "clock",
    "canary": "canary",
    "disk": "disk",
    "relay": "relay",
    "schedules": "schedules",
}
"""What is shown of ``/health``, and what it is called in front of people."""


def sentence(complaints: list[Complaint], *, runs: bool) -> str:
    """Return how it is, in one sentence."""
    if not complaints:
        return "All is well"
    if not runs:
        return "A job submitted now would not run"
    return "One thing needs a look" if len(complaints) == 1 else f"{len(complaints)} things need a look"
