"""What a page says: its main content as Markdown, and what is known about it. HTML in, an article out. No network."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urljoin

from jobs.pages.fetching import Kind, Page, PageFault
from jobs.pages.visible import is_too_deep, text_lines, visible_lines
from jobs.plain_text import clean_link, clean_text

HtmlElement = Any
"""lxml's; it comes without types, and is imported with trafilatura only."""
MOST_TAGS = 50_000
"""Pages with more tags are read line by line: finding the main content copies its tree, at 2 KB a tag."""
_THOROUGH = 20_000
"""Up to so many tags a second reading is tried when the first finds little."""
MOST_TEXT = 512 * 1024
"""Characters of one page; the longest novels online come in parts."""
_FORMER = "The page is {0}, not an article: {1}"
_INSTEAD = {
    Kind.PDF: _FORMER.format("a PDF", "use the job type pdf-batch."),
    Kind.FEED: _FORMER.format("a feed", "use the job type digest."),
    Kind.JSON: _FORMER.format("JSON", "use web-monitor to watch it, or send its content to transform."),
    Kind.PICTURE: _FORMER.format("a picture", "there is no job type that reads pictures."),
    Kind.OTHER: _FORMER.format("a file of another sort", "there is no job type that reads it."),
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_TARGET = r"(?:<[^<>\n]*>|[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)"
_LINK = re.compile(rf"\]\((?!<?(?:https?://|mailto:|#)){_TARGET}\)")
_TAG_START = re.compile(r"(?<!\]\()\\?<(?=[A-Za-z/!?])")
_LINKED = re.compile(rf"!?\[([^\[\]]*)\]\({_TARGET}\)")
_MARKS = re.compile(r"\*\*|(?<!\w)[*_~`]+(?=\S)|(?<=\S)[*_~`]+(?!\w)|^#+ |\\(?=[!-/:-@\[-`{-~])", re.MULTILINE)
_FENCE = re.compile(r"^```", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A page as its reader wants it. ``date`` is YYYY-MM-DD; what is unknown is empty.

    ``whole`` says that the main content could not be told from the rest, and all visible text is here.
    """

    url: str
    title: str
    markdown: str
    author: str = ""
    date: str = ""
    language: str = ""
    canonical: str = ""
    site: str = ""
    whole: bool = False

    @property
    def words(self) -> int:
        """How many words the content has, roughly; scripts without blanks count as few."""
        return len(self.markdown.split())


def read_article(page: Page) -> Article:
    """Return what a page says; raises ``PageFault`` when it is something else than a page, or says nothing."""
    if page.kind in _INSTEAD:
        raise PageFault("not_a_page", _INSTEAD[page.kind], permanent=True)
    text = page.text.replace("\x00", "")
    if page.kind is Kind.TEXT:
        return _plain_article(page.url, text)
    if is_too_deep(text):
        raise PageFault("too_deep", "The page nests its elements deeper than a page for people does.", permanent=True)
    return _article(page.url, text)


def _plain_article(url: str, text: str) -> Article:
    lines = text_lines(text)
    if not lines:
        raise _empty()
    return Article(url=url, title=clean_text(lines[0], 200), markdown=harmless(text.strip())[:MOST_TEXT], whole=True)


def _article(url: str, html: str) -> Article:
    tags = html.count("<")
    tree = _parse(html, url) if tags <= MOST_TAGS else None
    known = _metadata(tree, url) if tree is not None else {"title": _title(html)}
    markdown = _main_content(tree, url, thorough=tags <= _THOROUGH) if tree is not None else ""
    whole = not markdown
    if whole:
        markdown = "\n\n".join(visible_lines(html) or [])
    if not markdown:
        raise _empty()
    return Article(url=url, markdown=harmless(markdown)[:MOST_TEXT], whole=whole, **known)


def _empty() -> PageFault:
    return PageFault(
        "no_text", "The page holds no text to read; maybe it is made by scripts, which are not run.", permanent=True
    )


def _parse(html: str, url: str) -> HtmlElement | None:
    # 0.2 s and 30 MB that only the processes which read pages need.
    from trafilatura import load_html  # noqa: PLC0415

    tree: HtmlElement | None = load_html(html)
    if tree is not None:
        tree.make_links_absolute(url, handle_failures="discard")
    return tree


def _main_content(tree: HtmlElement, url: str, *, thorough: bool) -> str:
    from trafilatura import extract  # noqa: PLC0415  (see _parse)

    text: str | None = extract(
        tree,
        url=url,
        output_format="markdown",
        fast=not thorough,
        include_links=True,
        include_formatting=True,
        include_comments=False,
    )
    return (text or "").strip()


def _metadata(tree: HtmlElement, url: str) -> dict[str, Any]:
    from trafilatura import extract_metadata  # noqa: PLC0415  (see _parse)

    # Only what the page declares as its date: a guess from any number in its text is worse than none.
    dates = {"original_date": True, "extensive_search": False, "max_date": f"{date.max:%Y-%m-%d}"}
    found = extract_metadata(tree, default_url=url, date_config=dates, extensive=False)
    return {
        "title": clean_text(found.title, 200),
        "author": clean_text(found.author, 120),
        "date": found.date or "",
        "language": _language(tree),
        "canonical": _canonical(tree, url),
        "site": clean_text(found.sitename, 80),
    }


def _language(tree: HtmlElement) -> str:
    declared = str(tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or "").strip()
    return declared.replace("_", "-") if _LANGUAGE.fullmatch(declared) and len(declared) <= 35 else ""


def _canonical(tree: HtmlElement, url: str) -> str:
    for link in tree.iterfind(".//link"):
        if str(link.get("rel") or "").lower() == "canonical":
            try:
                return clean_link(urljoin(url, str(link.get("href") or "").strip())) or ""
            except ValueError:
                return ""
    return ""


def _title(html: str) -> str:
    found = re.search(r"<title[^>]*>([^<]{1,1000})", html, re.IGNORECASE)
    return clean_text(found[1], 200) if found else ""


def harmless(markdown: str) -> str:
    """Return Markdown without HTML and without links to anything but pages and addresses; code stays as it is."""
    parts = _FENCE.split(markdown)
    # Every second part lies between two fences.
    return "```".join(part if number % 2 else _disarmed(part) for number, part in enumerate(parts))


def plain_words(markdown: str) -> str:
    """Return what Markdown says as one line of plain text, without headings, code and tables."""
    parts = _FENCE.split(markdown)
    lines = [line for part in parts[::2] for line in part.splitlines() if not line.lstrip().startswith(("#", "|"))]
    return " ".join(_unmarked(" ".join(lines)).split())


def plain_paragraphs(markdown: str) -> list[str]:
    """Return the paragraphs of Markdown as plain text, code as it is."""
    parts = _FENCE.split(markdown)
    plain = "".join(part if number % 2 else _unmarked(part) for number, part in enumerate(parts))
    return [paragraph.strip("\n") for paragraph in re.split(r"\n\s*\n", plain) if paragraph.strip()]


def _unmarked(markdown: str) -> str:
    """Take marks and link addresses off; the bullets of lists stay, they read well."""
    return _MARKS.sub("", _LINKED.sub(r"\1", markdown)).replace("&lt;", "<")


def _disarmed(markdown: str) -> str:
    return _TAG_START.sub("&lt;", _LINK.sub("]", markdown))
