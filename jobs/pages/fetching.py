"""Fetching one page: an answer that can be read as text, or a fault that says what it is instead. No Django."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from jobs.charsets import decode_page, decode_text
from webhooks.egress import CheckedClient, EgressError, Response

NOT_MODIFIED = 304
GONE = frozenset({404, 410})
_WITH_PAGE = frozenset({200, 203, 206, NOT_MODIFIED})
_PASSING = frozenset({408, 425, 429})
_LONGEST_WAIT = 3600.0

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXTUAL = re.compile(r"text/|application/(?:[\w.-]+\+)?(?:json|xml|yaml|x-ndjson|javascript)\b")
_FEED = re.compile(rb"\A\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:rss|feed|rdf:RDF)\b", re.DOTALL)
_MARKUP = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|div|p|h1|table|article)\b", re.IGNORECASE)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM6", b"\0\0\1\0")
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")


class Kind(StrEnum):
    """What the body of an answer is."""

    HTML = "html"
    FEED = "feed"
    TEXT = "text"
    JSON = "json"
    PDF = "pdf"
    PICTURE = "picture"
    OTHER = "other"


class PageFault(Exception):
    """A page could not be had; ``permanent`` says whether another try would fail too, ``code`` is for programs."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        permanent: bool,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.permanent = permanent
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Page:
    """An answer with a body, or a 304 without one: where it came from at last, and what identifies its version."""

    url: str
    status: int
    kind: Kind
    body: bytes
    content_type: str
    etag: str = ""
    last_modified: str = ""

    @property
    def text(self) -> str:
        """The body as text, whatever character set it is declared in."""
        read = decode_page if self.kind is Kind.HTML else decode_text
        return read(self.body, self.content_type)


def fetch_page(client: CheckedClient, url: str, headers: Mapping[str, str] | None = None) -> Page:
    """Return the answer to a GET if it holds the page, or is a 304; raises ``PageFault`` for every other outcome."""
    try:
        response = client.get(url, headers)
    except EgressError as error:
        raise PageFault(error.code, str(error), permanent=error.permanent) from None
    if response.status not in _WITH_PAGE:
        raise _refused(response)
    content_type = response.headers.get("content-type", "")
    return Page(
        url=response.url,
        status=response.status,
        kind=kind_of(response.body, content_type),
        body=response.body,
        content_type=content_type,
        etag=response.headers.get("etag", "")[:500],
        last_modified=response.headers.get("last-modified", "")[:100],
    )


def conditional(etag: str, last_modified: str) -> dict[str, str]:
    """Return the headers that ask for a page only if it is another version than the one known."""
    headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in headers.items() if value}


def kind_of(body: bytes, content_type: str) -> Kind:
    """Return what a body is: its first bytes say more than the header, which many servers make up."""
    if b"%PDF-" in body[:1024]:
        return Kind.PDF
    if body.startswith(_PICTURES) or (body.startswith(b"RIFF") and body[8:12] == b"WEBP"):
        return Kind.PICTURE
    if body.startswith(_ARCHIVES):
        return Kind.OTHER
    if _FEED.match(body[:8192]):
        return Kind.FEED
    return _declared_kind(body, content_type.partition(";")[0].strip().lower())


def _declared_kind(body: bytes, media_type: str) -> Kind:
    if media_type in _HTML:
        return Kind.HTML
    if media_type.startswith("image/") and media_type != "image/svg+xml":
        return Kind.PICTURE
    if media_type.endswith("json"):
        return Kind.JSON
    if _TEXTUAL.match(media_type):
        return Kind.TEXT
    if _MARKUP.search(body[:4096]):
        return Kind.HTML
    return Kind.OTHER if b"\0" in body[:4096] or media_type else Kind.TEXT


def _refused(response: Response) -> PageFault:
    status = response.status
    passing = status in _PASSING or status >= 500
    code = "not_found" if status in GONE else "http_status"
    sentence = f"The server answered {status}{_meaning(status)}."
    return PageFault(code, sentence, permanent=not passing, status=status, retry_after=_retry_after(response.headers))


def _meaning(status: int) -> str:
    meanings = {
        204: " (nothing)",
        401: " (it wants a login)",
        403: " (it does not want to be read by programs, or not from here)",
        404: " (there is no such page)",
        410: " (the page was removed for good)",
        429: " (too many requests)",
        451: " (the page may not be shown for legal reasons)",
    }
    return meanings.get(status, "")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "").strip()
    return min(float(value), _LONGEST_WAIT) if value.isascii() and value.isdigit() and len(value) < 10 else None
