"""What needs the owner, told in sentences. Pure: from what the parts say to what is shown first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pirunner.machine import HOT, WARM, Machine
from pirunner.wording import size
from webhooks.selectors import DeliveryFigures


class Level(StrEnum):
    """How much something needs the owner."""

    BAD = "bad"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is not as it should be: what is seen, what helps, and the name of the page that tells more."""

    level: Level
    seen: str
    mend: str
    page: str = ""


STOPPED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("database", "down"): ("The database does not answer.", "Look at the log of pirunner."),
    ("broker", "down"): (
        "The broker (Redis) does not answer.",
        "Jobs are accepted and wait; they run by themselves when it is back. Is its process there?",
    ),
    ("workers", "down"): ("No worker shows a sign of life.", "Jobs wait. Restart pirunner; its log says why it ended."),
    ("beat", "down"): (
        "The clock shows no sign of life.",
        "Nothing becomes due. Restart pirunner; its log says why it ended.",
    ),
    ("canary", "silent"): (
        "The workers live but do not listen.",
        "pirunner restarts them by itself within two minutes.",
    ),
    ("disk", "down"): ("The data folder is gone.", "Is its disk mounted?"),
}
"""Without these, a job submitted now would not run."""

BESIDE: Mapping[tuple[str, str], tuple[str, str]] = {
    ("relay", "silent"): (
        "The relay shows no sign of life.",
        "Messages to your phone are not sent. Restart pirunner; its log says more.",
    ),
    ("installer", "absent"): (
        "No installer has ever run.",
        "Schedules of systemd are fired by the clock meanwhile. Run manage.py sync_systemd on the host.",
    ),
    ("installer", "silent"): (
        "The installer has not been heard of for long.",
        "Schedules of systemd are fired by the clock meanwhile. Look at its service on the host.",
    ),
}
"""These leave jobs running."""


def complaints_about_health(health: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield what ``/health`` finds wrong, the worst first."""
    for (part, state), words in STOPPED.items():
        if health[part]["state"] == state:
            yield Complaint(Level.BAD, *words)
    if health["disk"]["state"] == "full":
        free = size(health["disk"]["freeBytes"])
        yield Complaint(Level.BAD, f"The disk is full: {free} free.", "Make room: manage.py prune --all.")
    for (part, state), words in BESIDE.items():
        if health[part]["state"] == state:
            yield Complaint(Level.WARN, *words)
    if health["schedules"]["state"] == "late":
        late = health["schedules"]["lateSecondsP99"]
        yield Complaint(
            Level.WARN,
            f"Schedules fire up to {late:.0f} s late.",
            "The machine may be too busy.",
            "admin:schedules_occurrence_changelist",
        )


def complaints_about_machine(machine: Machine) -> Iterator[Complaint]:
    """Yield what is wrong with the machine."""
    if machine.power and machine.power.low_now:
        yield Complaint(
            Level.BAD,
            "The voltage is too low.",
            "Too little power damages cards and data: use the supply that belongs to this Pi, and a short cable.",
        )
    if machine.degrees is not None and machine.degrees >= WARM:
        level = Level.BAD if machine.degrees >= HOT else Level.WARN
        yield Complaint(level, f"The processor has {machine.degrees:.0f} °C.", "Give it air, or a heat sink.")


def complaints_about_callbacks(figures: DeliveryFigures) -> Iterator[Complaint]:
    """Yield what is wrong with the callbacks."""
    if figures.dead:
        seen = "1 callback was given up." if figures.dead == 1 else f"{figures.dead:,} callbacks were given up."
        remedy = f"Mend the receiver, then replay {'it' if figures.dead == 1 else 'them'}."
        yield Complaint(Level.WARN, seen, remedy, "admin:webhooks_delivery_changelist")
    elif figures.failing_hosts:
        hosts = "1 receiver takes" if figures.failing_hosts == 1 else f"{figures.failing_hosts} receivers take"
        yield Complaint(Level.WARN, f"{hosts} no callbacks.", "They are tried again by and by.")
