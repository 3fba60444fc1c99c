"""The text of a token: ``pirt_``, 256 random bits, and a checksum, by which scanners of leaked secrets know it.

The checksum is the CRC-32 of what stands before it, as GitHub's tokens have it; a slip of the keyboard is found
without asking the database.
"""

import hashlib
import re
import secrets
import string
import zlib

PREFIX = "pirt_"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM = 43
"""Digits of base 62 that hold 256 bits."""
_CHECKSUM = 6
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECKSUM}}}")
_SHOWN = len(PREFIX) + 4


def new_text() -> str:
    """Return the text of a new token."""
    body = PREFIX + "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM))
    return body + _checksum(body)


def is_whole(text: str) -> bool:
    """Return whether a text is that of a token, whether or not there is one."""
    return _SHAPE.fullmatch(text) is not None and text[-_CHECKSUM:] == _checksum(text[:-_CHECKSUM])


def digest_of(text: str) -> str:
    """Return the SHA-256 (hex) by which a token is kept and found.

    Nobody can guess 256 random bits, so there is nothing that a salt or a slow hash would add; and whoever cannot
    choose the digest learns nothing from how long the index takes to find it.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def hint_of(text: str) -> str:
    """Return the beginning of a token, by which its owner recognises it in lists."""
    return f"{text[:_SHOWN]}…"


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
