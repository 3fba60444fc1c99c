"""Text and links from strangers, made harmless: for people to read, for Markdown, for JSON."""

import html
import re
import unicodedata
from urllib.parse import quote, urlsplit

MAX_LINK = 2048
# Cleaning repeats until nothing changes, so what it starts from must be short.
_MAX_RAW = 1000

_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>")
_OPEN_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_MARKDOWN = re.compile(r"[\\`*_\[\]~|#]")
_ENTITY = re.compile(r"&(?=[A-Za-z#])")

# Joiners are invisible too, but emoji and several scripts are written with them.
_JOINERS = frozenset("\u200c\u200d")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def clean_text(raw: object, max_length: int) -> str:
    """Return one line of plain text without markup, control and bidi characters; too long ends in ``…``."""
    text = str(raw or "")[:_MAX_RAW]
    before = None
    while text != before:
        before = text
        text = _TAG.sub("", _visible(html.unescape(text)))
    text = " ".join(_OPEN_TAG.sub("< ", text).split())
    return text if len(text) <= max_length else text[: max_length - 1].rstrip() + "…"


def clean_link(raw: object) -> str | None:
    """Return an absolute http or https address with nothing unusual in it, or None.

    Refuses user names before the host, which are there only to mislead.
    """
    try:
        parts = urlsplit(str(raw or "").strip())
        has_host = parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.netloc) and parts.port != 0
        link = parts._replace(
            path=_quoted(parts.path), query=_quoted(parts.query), fragment=_quoted(parts.fragment)
        ).geturl()
    except ValueError:
        return None
    return link if has_host and len(link) <= MAX_LINK else None


def short_address(address: str) -> str:
    """Return host and path of an address, for people; what may be a secret (user, password, query) is not."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "an address that is none"
    return clean_text(f"{parts.hostname or ''}{parts.path.rstrip('/')}", 200)


def markdown_text(text: str) -> str:
    """Return one line of text that Markdown shows as it is: no emphasis, links, HTML or entities."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", _ENTITY.sub("&amp;", text))
    return escaped.replace("<", "&lt;").replace(">", "&gt;")


def markdown_link(text: str, link: str) -> str:
    """Return a Markdown link; the link must come from ``clean_link``."""
    return f"[{markdown_text(text)}]({link.replace('(', '%28').replace(')', '%29')})"


def _visible(text: str) -> str:
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character) in _INVISIBLE and character not in _JOINERS:
        return ""
    return character


def _quoted(part: str) -> str:
    return quote(part, safe="%/:?#[]@!$&'()*+,;=~", errors="replace")
