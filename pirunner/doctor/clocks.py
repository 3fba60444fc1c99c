"""The machine's clock: synchronised, and in the right century."""

import ctypes
import platform
from collections.abc import Iterator
from datetime import UTC, datetime

from django.utils import timezone

from pirunner.doctor.findings import Finding, ok, problem, warning

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
UNSYNCHRONISED = 0x0040
"""STA_UNSYNC of adjtimex(2)."""
_STATUS_OFFSET = 40 if ctypes.sizeof(ctypes.c_long) == 8 else 20
_ROOM = 512


def look() -> Iterator[Finding]:
    """Look at the time of day."""
    now = timezone.now()
    if now < EARLIEST:
        mend = "Set it, and let it be kept: timedatectl set-ntp true."
        yield problem("time of day", f"{now:%Y-%m-%d} is in the past", mend)
        return
    yield _synchronised()


def _synchronised() -> Finding:
    status = _kernel_status()
    if status is None:
        return ok("synchronised", "unknown on this system")
    if status & UNSYNCHRONISED:
        mend = "timedatectl set-ntp true, or install chrony: schedules fire by this clock."
        return warning("synchronised", "no time server keeps this machine's clock", mend)
    return ok("synchronised", "a time server keeps this machine's clock")


def _kernel_status() -> int | None:
    """Return the status word of adjtimex(2), asked for nothing but to tell; None where there is none."""
    if platform.system() != "Linux":
        return None
    room = ctypes.create_string_buffer(_ROOM)
    try:
        if ctypes.CDLL(None).adjtimex(room) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return int.from_bytes(room.raw[_STATUS_OFFSET : _STATUS_OFFSET + 4], "little")
