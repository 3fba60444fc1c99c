"""Amounts as people write and read them: spans of time, moments, bytes, things. Pure."""

import re
from datetime import datetime, timedelta, tzinfo

from pirunner.times import parse_moment

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)?", re.IGNORECASE)
_STEPS = ((86400 * 2, 86400, "d"), (7200, 3600, "h"), (120, 60, "min"))


def span(seconds: float | None) -> str:
    """Return a span of time in its largest fitting unit, like ``3 min``; "" for None."""
    if seconds is None:
        return ""
    for least, unit, name in _STEPS:
        if seconds >= least:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{max(seconds, 0.0):.1f} s"


def read_span(text: str) -> float:
    """Return the seconds of a text like ``90``, ``90s``, ``15m``, ``2h`` or ``3d``; raises ``ValueError``."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is no span of time; write it like 90, 90s, 15m, 2h or 3d.")
    return float(match[1]) * _UNITS[(match[2] or "s").lower()]


def read_since(text: str, zone: tzinfo, now: datetime) -> datetime:
    """Return a moment that is written out, or so long ago as a span with a unit says; raises ``ValueError``."""
    if not text.isdigit() and _SPAN.fullmatch(text.strip()):
        return now - timedelta(seconds=read_span(text))
    try:
        return parse_moment(text, zone)
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is no moment; write it like 2h, 3d, 2030-03-10 or 2030-03-10T13:30:00+05:30."
        ) from None


def size(number: float) -> str:
    """Return a number of bytes in its largest fitting unit, like ``3.2 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(number) < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, like ``1,200 jobs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def when(moment: datetime | None, zone: tzinfo) -> str:
    """Return a moment on the owner's clock, to the second; "" for None."""
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
