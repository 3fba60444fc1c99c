"""The machine: heat, power, memory, disk and load, as far as it tells of them. What it does not tell is None."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

WARM, HOT = 75.0, 82.0
"""Degrees Celsius; a Pi slows down from 80 on."""
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
ZONES = "sys/class/thermal/thermal_zone*"
ALARMS = "sys/class/hwmon/hwmon*/in0_lcrit_alarm"
PROCESSOR_ZONES = frozenset({"cpu-thermal", "x86_pkg_temp", "soc-thermal", "cpu_thermal"})
_UNDERVOLTAGE, _CAPPED, _THROTTLED, _SOFT_LIMIT = 0x1, 0x2, 0x4, 0x8
_EVER = 16  # the bits of "since the start" are those of "now", so much further up


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What a Pi tells of its supply: whether the voltage is too low, or it runs slowly for any reason."""

    low_now: bool
    low_ever: bool
    slowed_now: bool
    slowed_ever: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Bytes of a disk, or of the memory."""

    free: int
    total: int

    @property
    def used_percent(self) -> int:
        """How full it is."""
        return round(100 * (self.total - self.free) / self.total) if self.total else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """All of it, at one moment."""

    degrees: float | None
    power: Power | None
    disk: Space | None
    memory: Space
    load: float
    processors: int
    booted_at: float


def look(folder: Path, root: Path = Path("/")) -> Machine:
    """Look at the machine: ``folder`` is on the disk that matters, ``root`` where ``/sys`` is below."""
    memory = psutil.virtual_memory()
    return Machine(
        degrees=degrees(root),
        power=power(root),
        disk=disk(folder),
        memory=Space(free=memory.available, total=memory.total),
        load=os.getloadavg()[0],
        processors=os.cpu_count() or 1,
        booted_at=psutil.boot_time(),
    )


def degrees(root: Path = Path("/")) -> float | None:
    """Return the temperature of the processor in degrees Celsius; of the hottest part where none is called so."""
    zones = {path: _text(path / "type") for path in root.glob(ZONES)}
    of_processor = [path for path, kind in zones.items() if kind in PROCESSOR_ZONES]
    readings = [_number(path / "temp", 10) for path in of_processor or zones]
    return max((reading / 1000 for reading in readings if reading is not None), default=None)


def power(root: Path = Path("/")) -> Power | None:
    """Return what a Pi tells of its supply, by its firmware's flags or the alarm of its voltage sensor."""
    flags = _number(root / THROTTLED, 16)
    alarms = [_number(path, 10) for path in root.glob(ALARMS)]
    if flags is None and not alarms:
        return None
    now, ever = flags or 0, (flags or 0) >> _EVER
    slowed = _CAPPED | _THROTTLED | _SOFT_LIMIT
    return Power(
        low_now=bool(now & _UNDERVOLTAGE) or any(alarms),
        low_ever=bool(ever & _UNDERVOLTAGE) or any(alarms),
        slowed_now=bool(now & slowed),
        slowed_ever=bool(ever & slowed),
    )


def disk(folder: Path) -> Space | None:
    """Return the room on the disk that a folder is on; None when the folder is gone, or its disk."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return Space(free=usage.free, total=usage.total)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _number(path: Path, base: int) -> int | None:
    try:
        return int(_text(path), base)
    except ValueError:
        return None
