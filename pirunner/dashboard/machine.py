"""The machine: what it tells of itself; what it does not is left out."""

from typing import Any

from pirunner.dashboard.look import Look, moment_of
from pirunner.machine import HOT, WARM, Power
from pirunner.wording import size

FULL, FILLING = 95, 85
"""Percent."""


def show(look: Look) -> dict[str, Any]:
    """Return heat, power, disk, memory and load, as people read them."""
    seen = look.machine
    return {
        "degrees": seen.degrees,
        "heat": "ok" if seen.degrees is None or seen.degrees < WARM else "warn" if seen.degrees < HOT else "bad",
        "power": None if seen.power is None else told_of(seen.power),
        "spaces": [
            (name, space.used_percent, level_of(space.used_percent), size(space.free), size(space.total))
            for name, space in (("Disk", seen.disk), ("Memory", seen.memory))
            if space is not None
        ],
        "load": f"{seen.load:.2f}",
        "processors": seen.processors,
        "booted_at": moment_of(seen.booted_at),
    }


def level_of(percent: int) -> str:
    """Return how much a disk or memory that is so full needs its owner."""
    return "bad" if percent >= FULL else "warn" if percent >= FILLING else "ok"


def told_of(power: Power) -> tuple[str, str]:
    """Return what a Pi tells of its supply, as a level and words."""
    if power.low_now:
        return "bad", "too little voltage"
    if power.slowed_now:
        return "warn", "runs slowly, to cool down"
    if power.low_ever:
        return "warn", "enough now; too little since the start"
    if power.slowed_ever:
        return "ok", "enough voltage; ran slowly since the start"
    return "ok", "enough voltage"
