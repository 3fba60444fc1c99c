"""The machine: heat, power and memory, as far as it tells of them."""

from collections.abc import Iterator
from pathlib import Path

from pirunner.doctor.findings import Finding, ok, problem, warning
from pirunner.wording import size

WARM, HOT = 75.0, 82.0
"""Degrees Celsius; a Pi slows down from 80 on."""
LITTLE_MEMORY = 64 * 1024 * 1024
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_UNDERVOLTAGE_NOW = 0x1
_UNDERVOLTAGE_SEEN = 0x10000
_POWER = "Use the supply that belongs to this Pi, and a short cable: too little power damages cards and data."


def look(root: Path = Path("/")) -> Iterator[Finding]:
    """Look at the machine; what it does not tell is left out."""
    yield from _heat(root)
    yield from _power(root)
    yield from _memory(root)


def _heat(root: Path) -> Iterator[Finding]:
    readings = [_number(path, 10) for path in root.glob("sys/class/thermal/thermal_zone*/temp")]
    degrees = max((reading / 1000 for reading in readings if reading is not None), default=None)
    if degrees is None:
        return
    seen = f"{degrees:.0f} °C"
    if degrees >= HOT:
        yield problem("temperature", seen, "Cool it: it runs slowly now, and may stop.")
    elif degrees >= WARM:
        yield warning("temperature", seen, "Give it air, or a heat sink.")
    else:
        yield ok("temperature", seen)


def _power(root: Path) -> Iterator[Finding]:
    flags = _number(root / THROTTLED, 16)
    alarms = [_number(path, 10) for path in root.glob("sys/class/hwmon/hwmon*/in0_lcrit_alarm")]
    if flags is None and not alarms:
        return
    if (flags or 0) & _UNDERVOLTAGE_NOW or any(alarms):
        yield problem("power", "too little voltage", _POWER)
    elif (flags or 0) & _UNDERVOLTAGE_SEEN:
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


def _number(path: Path, base: int) -> int | None:
    try:
        return int(path.read_text(encoding="ascii").strip(), base)
    except (OSError, ValueError):
        return None
