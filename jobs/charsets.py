"""What characters bytes from strangers stand for: pages, feeds and files whose declarations may be wrong or missing.

Bytes that are valid UTF-8 are UTF-8 whatever a header claims; nothing else is by accident. After that counts what is
declared, first inside the document. No network, no Django.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

SIGNATURES = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)
# Python knows codecs that are slow on purpose-made input (idna, punycode) or no character set at all.
_CHARSETS = (
    "utf-8",
    "utf-16",
    "utf-32",
    "iso8859",
    "iso2022",
    "cp125",
    "cp866",
    "cp874",
    "cp949",
    "cp932",
    "koi8",
    "mac-",
    "tis-620",
    "gb",
    "big5",
    "euc",
    "shift_jis",
)
# What is declared as Latin-1 is Windows-1252 in practice, as browsers read it.
_FALLBACK = "cp1252"
_LATIN_1 = "iso8859-1"
_HTTP_CHARSET = re.compile(r"""charset=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_META_CHARSET = re.compile(rb"""<meta\s[^>]{0,500}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_META_BYTES = 4096
"""How far into a page its declaration is looked for; the standard says 1,024, and pages do not keep to it."""
_GUESS_BYTES = 64 * 1024


def decode(body: bytes, declared: Iterable[str] = ()) -> str:
    """Return the text of a document; ``declared`` are the names it goes by, most telling first.

    It never fails: what no name fits is read as Windows-1252, with ``�`` for bytes that mean nothing there.
    """
    for charset in _candidates(body, declared):
        with suppress(LookupError, UnicodeError):
            name = codecs.lookup(charset).name
            if name.startswith(_CHARSETS) and name != _LATIN_1:
                return body.decode(charset)
    return body.decode(_FALLBACK, errors="replace")


def decode_page(body: bytes, content_type: str) -> str:
    """Return the text of an HTML page, from its bytes and the ``Content-Type`` they came with."""
    meta = _META_CHARSET.search(body[:_META_BYTES])
    # The page speaks for itself: servers put one header before everything they have.
    declared = [meta[1].decode("ascii")] if meta else []
    declared += charset_of(content_type)
    # A page whose author says UTF-8 and that holds a few bytes that are not is still UTF-8.
    if any(_is_utf8(name) for name in declared) and _nearly_utf8(body):
        return body.decode("utf-8", errors="replace").removeprefix("\ufeff")
    return decode(body, declared or _guess(body)).removeprefix("\ufeff")


def decode_text(body: bytes, content_type: str = "") -> str:
    """Return the text of a file that is neither page nor feed, from its bytes and its ``Content-Type`` if any."""
    return decode(body, charset_of(content_type) or _guess(body)).removeprefix("\ufeff")


def charset_of(content_type: str) -> list[str]:
    """Return the character set that a ``Content-Type`` names, as a list of one or none."""
    claimed = _HTTP_CHARSET.search(content_type)
    return [claimed[1]] if claimed else []


def _candidates(body: bytes, declared: Iterable[str]) -> Iterator[str]:
    yield from (charset for signature, charset in SIGNATURES if body.startswith(signature))
    # Only ISO-2022, with its escapes, is valid UTF-8 too.
    if b"\x1b" not in body:
        yield "utf-8"
    yield from declared


def _is_utf8(name: str) -> bool:
    with suppress(LookupError):
        return codecs.lookup(name).name == "utf-8"
    return False


def _nearly_utf8(body: bytes) -> bool:
    """Return whether at most one byte in a thousand is out of place; a truncated last character is none."""
    wrong = body.decode("utf-8", errors="replace").count("\ufffd")
    return wrong * 1000 <= len(body)


def _guess(body: bytes) -> list[str]:
    """Return what a document without a declaration is probably written in."""
    if body.isascii() or _is_valid_utf8(body):
        return []
    # 15 ms at first use, which most documents spare us.
    from charset_normalizer import from_bytes  # noqa: PLC0415

    best = from_bytes(body[:_GUESS_BYTES]).best()
    return [best.encoding] if best else []


def _is_valid_utf8(body: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        body.decode("utf-8")
        return True
    return False
