"""Feeds (RSS, RDF, Atom): bytes from strangers in, a few clean items out. No network, no Django."""

import io
import re
from calendar import timegm
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

import feedparser
from defusedxml import sax
from defusedxml.common import DefusedXmlException

from jobs.charsets import charset_of, decode
from jobs.plain_text import clean_link, clean_text

MAX_ITEMS = 200
MAX_TITLE = 200
MAX_SOURCE = 60
MAX_DESCRIPTION = 600

_ROOTS = frozenset({"rss", "rdf", "feed"})
_RAW_DESCRIPTION = 4000
_UNSHOWN = re.compile(r"<(script|style)\b.*?(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
_BLOCK = re.compile(r"</?(?:p|br|hr|div|li|[uo]l|tr|t[dh]|h[1-6]|img|figure|blockquote)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[A-Za-z/!][^<>]*>")
_DATES = ("published_parsed", "updated_parsed", "created_parsed")
_NEVER = datetime.min.replace(tzinfo=UTC)

_DECLARED = re.compile(rb"""\s*<\?xml[^>]{1,100}?encoding=["']([A-Za-z0-9._-]{1,40})""")
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*>")
_NOT_IN_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])


class NotAFeed(Exception):
    """What a server sent cannot be read as a feed; the sentence says why. Asking again may help."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry of a feed: plain text, a checked link, and when it was published (UTC; None when unknown).

    ``description`` is the beginning of what the feed itself says about it, ``version`` changes when a page that is
    an item by itself is rewritten; neither tells two entries apart.
    """

    title: str
    link: str
    published: datetime | None
    source: str
    description: str = field(default="", compare=False)
    version: str = field(default="", compare=False)


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
            yield FeedItem(title, link, published, source, clean_text(_described(entry), MAX_DESCRIPTION))


def _described(entry: Any) -> str:
    raw = str(entry.get("summary") or "")[:_RAW_DESCRIPTION] if "summary" in entry else ""
    # Tags first: a description often begins with a picture whose address is longer than what is read of it.
    return _TAG.sub("", _BLOCK.sub(" ", _UNSHOWN.sub("", raw)))


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
    text = _DECLARATION.sub("", decode(body, _declared(body, content_type)), count=1)
    return text.translate(_NOT_IN_XML).lstrip().encode()


def _declared(body: bytes, content_type: str) -> list[str]:
    """Return what the document says it is written in, then what its header says."""
    inside = _DECLARED.match(body)
    return [*([inside[1].decode("ascii")] if inside else []), *charset_of(content_type)]
