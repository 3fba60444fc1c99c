"""Moments as the API writes them."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLUS_LOST = re.compile(r" (?=\d\d:?\d\d$)")


def iso(moment: datetime | None) -> str | None:
    """Return a moment as JavaScript's ``toISOString`` would: UTC, milliseconds, ``Z``."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(moment: datetime | None) -> int | None:
    """Return a moment as milliseconds since 1970."""
    return None if moment is None else int(moment.timestamp() * 1000)


def days_before(moment: datetime, days: int) -> datetime:
    """Return the moment so many days earlier; more than a hundred years count as a hundred."""
    return moment - timedelta(days=min(days, 36_500))


def parse_moment(text: str, zone: tzinfo) -> datetime:
    """Return the moment that a query names: epoch milliseconds, or ISO 8601, read in ``zone`` without an offset.

    The ``+`` of an offset may have become a blank, as it does in a query that was not encoded. Raises ``ValueError``.
    """
    try:
        if text.isascii() and text.isdigit():
            return _EPOCH + timedelta(milliseconds=int(text[:18]))
        moment = datetime.fromisoformat(_PLUS_LOST.sub("+", text) if "T" in text else text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is beyond the calendar") from None
