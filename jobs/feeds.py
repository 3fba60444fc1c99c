"""Feeds (RSS, RDF, Atom): bytes from strangers in, a few clean items out. No network, no Django."""

import codecs
import io
import re
from calendar import timegm
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

import feedparser
from defusedxml import sax
from defusedxml.common import DefusedXmlException

from jobs.plain_text import clean_link, clean_text

MAX_ITEMS = 200
MAX_TITLE = 200
MAX_SOURCE = 60

_ROOTS = frozenset({"rss", "rdf", "feed"})
_DATES = ("published_parsed", "updated_parsed", "created_parsed")
_NEVER = datetime.min.replace(tzinfo=UTC)

_SIGNATURES = (
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
    "koi8",
    "gb",
    "big5",
    "euc",
    "shift_jis",
)
# What is declared as Latin-1 is Windows-1252 in practice, as browsers read it.
_FALLBACK = "cp1252"
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{1,100}?encoding=["']([A-Za-z0-9._-]{1,40})""")
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*>")
_HTTP_CHARSET = re.compile(r"""charset=["']?([A-Za-z0-9._-]{1,40})""", re.IGNORECASE)
_NOT_IN_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])


class NotAFeed(Exception):
    """What a server sent cannot be read as a feed; the sentence says why. Asking again may help."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry of a feed: plain text, a checked link, and when it was published (UTC; None when unknown)."""

    title: str
    link: str
    published: datetime | None
    source: str


def parse_feed(body: bytes, *, url: str, content_type: str = "") -> tuple[FeedItem, ...]:
    """Return the newest 200 items of a feed, newest first, those without a date last.

    ``url`` is where the body came from, ``content_type`` the header that came with it. Items without a title
    or an http(s) link are left out. Raises ``NotAFeed``; a feed without items is no fault.
    """
    xml = _as_utf8(body, content_type)
    _scan(xml)
    parsed = _parse(xml, url)
    source = clean_text(parsed.feed.get("title"), MAX_SOURCE) or urlsplit(url).hostname or url
    return tuple(_items(parsed.entries, source))


def _items(entries: list[Any], source: str) -> Iterator[FeedItem]:
    dated = [(entry, _published(entry)) for entry in entries]
    dated.sort(key=lambda pair: pair[1] or _NEVER, reverse=True)
    for entry, published in dated[:MAX_ITEMS]:
        title = clean_text(entry.get("title"), MAX_TITLE)
        link = clean_link(entry.get("link"))
        if title and link:
            yield FeedItem(title, link, published, source)


def _published(entry: Any) -> datetime | None:
    # `in` before `get`: feedparser warns when it is asked for an updated date and falls back to another.
    for key in _DATES:
        parsed = entry.get(key) if key in entry else None
        if parsed:
            with suppress(ValueError, OverflowError, OSError):
                return datetime.fromtimestamp(timegm(parsed), UTC)
    return None


class _Root(ContentHandler):
    """Notes the name of the outermost element, without its prefix."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: ARG002, N802  (the signature is SAX's)
        """Take the first element only."""
        self.name = self.name or name.rpartition(":")[2].lower()


def _scan(xml: bytes) -> None:
    """Refuse entity declarations, and whatever is no feed, before feedparser sees it."""
    root = _Root()
    try:
        sax.parseString(xml, root)
    except DefusedXmlException:
        raise NotAFeed("It has XML entities of its own or an external DTD, which are refused.") from None
    except SAXException:
        # Many real feeds are not well-formed and feedparser reads them all the same. Entities could only have
        # been declared before the outermost element, and the scan got that far if it found one.
        pass
    if root.name not in _ROOTS:
        raise NotAFeed("It is not a feed.")


def _parse(xml: bytes, url: str) -> Any:
    """Run feedparser. Only ever on a stream: it opens bytes and text that look like a path or an address."""
    try:
        parsed = feedparser.parse(
            io.BytesIO(xml),
            response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
            resolve_relative_uris=False,
            sanitize_html=False,  # titles are reduced to plain text here, and nothing else is used
        )
    except Exception as error:
        # Strange input makes its many small parsers raise many things; each means the same here.
        raise NotAFeed(f"It cannot be read ({type(error).__name__}).") from error
    if not parsed.version:
        raise NotAFeed("It is not a feed.")
    return parsed


def _as_utf8(body: bytes, content_type: str) -> bytes:
    """Return the document in UTF-8 without a declaration, so that both parsers read the same characters."""
    text = _DECLARATION.sub("", _decode(body, content_type), count=1)
    return text.translate(_NOT_IN_XML).lstrip().encode()


def _decode(body: bytes, content_type: str) -> str:
    for charset in _charsets(body, content_type):
        with suppress(LookupError, UnicodeError):
            name = codecs.lookup(charset).name
            if name.startswith(_CHARSETS) and name != "iso8859-1":
                return body.decode(charset)
    return body.decode(_FALLBACK, errors="replace")


def _charsets(body: bytes, content_type: str) -> Iterator[str]:
    """Yield what the document may be written in, most telling first.

    Bytes that are valid UTF-8 are UTF-8 whatever a header claims; only ISO-2022, with its escapes, is too.
    """
    yield from (charset for signature, charset in _SIGNATURES if body.startswith(signature))
    if b"\x1b" not in body:
        yield "utf-8"
    if declared := _DECLARED.match(body):
        yield declared[1].decode("ascii")
    if claimed := _HTTP_CHARSET.search(content_type):
        yield claimed[1]
