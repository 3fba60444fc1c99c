"""The machine: heat, power and memory, as far as it tells of them."""

from collections.abc import Iterator
from pathlib import Path

from pirunner import machine
from pirunner.doctor.findings import Finding, ok, problem, warning
from pirunner.wording import size

LITTLE_MEMORY = 64 * 1024 * 1024
_POWER = "Use the supply that belongs to this Pi, and a short cable: too little power damages cards and data."


def look(root: Path = Path("/")) -> Iterator[Finding]:
    """Look at the machine; what it does not tell is left out."""
    yield from _heat(root)
    yield from _power(root)
    yield from _memory(root)


def _heat(root: Path) -> Iterator[Finding]:
    degrees = machine.degrees(root)
    if degrees is None:
        return
    seen = f"{degrees:.0f} °C"
    if degrees >= machine.HOT:
        yield problem("temperature", seen, "Cool it: it runs slowly now, and may stop.")
    elif degrees >= machine.WARM:
        yield warning("temperature", seen, "Give it air, or a heat sink.")
    else:
        yield ok("temperature", seen)


def _power(root: Path) -> Iterator[Finding]:
    power = machine.power(root)
    if power is None:
        return
    if power.low_now:
        yield problem("power", "too little voltage", _POWER)
    elif power.low_ever:
        yield warning("power", "too little voltage since the machine was started", _POWER)
    else:
        yield ok("power", "enough voltage")


def _memory(root: Path) -> Iterator[Finding]:
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        told = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if ":" in line}
    except (OSError, ValueError, IndexError):
        return
    free = told.get("MemAvailable")
    if free is None:
        return
    if free < LITTLE_MEMORY:
        yield warning("memory", f"{size(free)} free", "FLOWER=off saves the most; or lower WORKER_CONCURRENCY.")
    else:
        yield ok("memory", f"{size(free)} free of {size(told.get('MemTotal', 0))}")
