"""What a download sends: everything, one range, or nothing new (RFC 9110, sections 13 and 14). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)
_DIGITS = 18
"""More digits than any file is long; Python would take its time over thousands of them."""


class NotSatisfiable(ValueError):
    """The range begins beyond the end of the file."""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes to send: the first one, and the one after the last."""

    first: int
    end: int


def is_known(headers: Mapping[str, str], etag: str) -> bool:
    """Return whether ``If-None-Match`` says that the client has the file already; tags are compared weakly."""
    tags = [tag.strip().removeprefix("W/") for tag in headers.get("If-None-Match", "").split(",")]
    return etag in tags or tags == ["*"]


def range_of(headers: Mapping[str, str], *, etag: str, size: int) -> Part | None:
    """Return the range that a GET asks for, None for the whole file.

    Several ranges, other units, malformed ones and those of another version (``If-Range``) are ignored, as the RFC
    allows. Raises ``NotSatisfiable``.
    """
    match = _RANGE.fullmatch(headers.get("Range", "").strip())
    if match is None or match.groups() == ("", "") or headers.get("If-Range", etag) != etag:
        return None
    first, last = (int(digits[:_DIGITS]) if digits else None for digits in match.groups())
    if first is None:
        return _last_bytes(last or 0, size)
    if last is not None and last < first:
        return None
    if first >= size:
        raise NotSatisfiable
    return Part(first, size if last is None else min(last + 1, size))


def _last_bytes(count: int, size: int) -> Part:
    if count == 0 or size == 0:
        raise NotSatisfiable
    return Part(max(0, size - count), size)
