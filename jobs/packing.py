"""Long texts as checkpoints and kept values, which are small: compressed, in numbered pieces."""

import base64
import zlib
from collections.abc import Callable, Mapping
from typing import Any

PIECE = 200_000
"""Characters of a piece; a value may have 262,144 characters of JSON."""


def remember_text(remember: Callable[[str, Any], None], key: str, text: str) -> int:
    """Write a text below ``key`` by ``ctx.checkpoint`` or ``ctx.keep``; return into how many pieces it went.

    The caller notes that number under ``key`` itself afterwards, so that a text which was cut short is not found.
    """
    packed = base64.b64encode(zlib.compress(text.encode(errors="replace"), 6)).decode("ascii")
    pieces = [packed[start : start + PIECE] for start in range(0, len(packed), PIECE)]
    for number, piece in enumerate(pieces):
        remember(piece_key(key, number), piece)
    return len(pieces)


def recalled_text(recall: Callable[[str], Any], key: str, pieces: int) -> str | None:
    """Return a text that was written so; None when a piece of it is gone."""
    parts = [recall(piece_key(key, number)) for number in range(pieces)]
    if not all(isinstance(part, str) for part in parts):
        return None
    return zlib.decompress(base64.b64decode("".join(parts))).decode()


def checkpointed_text(checkpoints: Mapping[str, Any], key: str, pieces: int) -> str | None:
    """Return a text from the checkpoints of a job; None when a piece of it is gone."""
    return recalled_text(checkpoints.get, key, pieces)


def piece_key(key: str, number: int) -> str:
    """Return under which key a piece lies."""
    return f"{key} piece {number}"
