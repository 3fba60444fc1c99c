"""Moments as the API writes them."""

from datetime import UTC, datetime


def iso(moment: datetime | None) -> str | None:
    """Return a moment as JavaScript's ``toISOString`` would: UTC, milliseconds, ``Z``."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(moment: datetime | None) -> int | None:
    """Return a moment as milliseconds since 1970."""
    return None if moment is None else int(moment.timestamp() * 1000)
