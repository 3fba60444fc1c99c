"""The machine's clock: synchronised, in the right century, and not set back."""

import ctypes
import platform
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError
from django.utils import timezone

from jobs.models import Job
from pirunner.doctor.findings import Finding, ok, problem, warning
from pirunner.wording import span
from webhooks.models import Event

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
AHEAD = timedelta(seconds=60)
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
    yield from _set_back(now)


def _synchronised() -> Finding:
    status = _kernel_status()
    if status is None:
        return ok("synchronised", "unknown on this system")
    if status & UNSYNCHRONISED:
        mend = "timedatectl set-ntp true, or install chrony: schedules fire by this clock."
        return warning("synchronised", "no time server keeps this machine's clock", mend)
    return ok("synchronised", "a time server keeps this machine's clock")


def _kernel_status() -> int | None:
    """Return the status word of adjtimex(2), which only reads when it is asked for nothing; None where there is none."""
    if platform.system() != "Linux":
        return None
    room = ctypes.create_string_buffer(_ROOM)
    try:
        if ctypes.CDLL(None).adjtimex(room) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return int.from_bytes(room.raw[_STATUS_OFFSET : _STATUS_OFFSET + 4], "little")


def _set_back(now: datetime) -> Iterator[Finding]:
    """Look for rows from the future: the clock was ahead when they were written, or it was set back since."""
    try:
        newest = [
            Job.objects.order_by("-pk").values_list("created_at", flat=True).first(),
            Event.objects.order_by("-seq").values_list("at", flat=True).first(),
        ]
    except DatabaseError:
        return
    ahead = max((moment - now for moment in newest if moment), default=timedelta())
    if ahead > AHEAD:
        mend = "Check the time of day; what was due in between fires once the clock has passed it again."
        yield warning("jumps", f"the newest rows are {span(ahead.total_seconds())} from the future", mend)
    else:
        yield ok("jumps", "no row is from the future")
