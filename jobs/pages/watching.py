"""What is compared when a page is watched: its lines, those that matter. No network, no Django."""

import json
from collections.abc import Sequence

from jobs.pages.fetching import Kind, Page, PageFault
from jobs.pages.visible import is_too_deep, text_lines, visible_lines
from jobs.patterns import SafePattern, SlowPattern

MOST_LINES = 20_000
MOST_TEXT = 1024 * 1024
_LONGEST_LINE = 5000
_NOT_TEXT = {
    Kind.PDF: "The page is a PDF, not text: use the job type pdf-batch.",
    Kind.PICTURE: "The page is a picture, not text.",
    Kind.OTHER: "The page is a file that is no text.",
}


def watched_lines(page: Page, selector: str | None, ignored: Sequence[SafePattern]) -> list[str] | None:
    """Return the lines of an answer that are compared, None when nothing on the page is what ``selector`` names.

    What ``ignored`` matches is cut out of each line, and a line of which nothing is left is dropped. A page beyond
    20,000 lines or a million characters is compared so far. Raises ``PageFault`` when it is no text, or a pattern
    takes too long on it.
    """
    lines = _lines(page, selector)
    if lines is None:
        return None
    try:
        return _within_limits(_without(lines, ignored))
    except SlowPattern as slow:
        raise PageFault("slow_pattern", str(slow), permanent=True) from None


def _lines(page: Page, selector: str | None) -> list[str] | None:
    if page.kind in _NOT_TEXT:
        raise PageFault("not_text", _NOT_TEXT[page.kind], permanent=True)
    text = page.text.replace("\x00", "")
    if page.kind is Kind.HTML:
        if is_too_deep(text):
            sentence = "The page nests its elements deeper than a page for people does."
            raise PageFault("too_deep", sentence, permanent=True)
        return visible_lines(text, selector)
    if selector is not None:
        raise PageFault("not_html", "A selector names parts of an HTML page, and this is none.", permanent=True)
    return _json_lines(text) if page.kind is Kind.JSON else text_lines(text)


def _json_lines(text: str) -> list[str]:
    """Return JSON with its keys in order, one value a line, so that another order or spacing is no change."""
    try:
        return json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False).splitlines()
    except (ValueError, RecursionError):
        return text_lines(text)


def _without(lines: Sequence[str], ignored: Sequence[SafePattern]) -> list[str]:
    kept = []
    for line in lines:
        rest = line[:_LONGEST_LINE]
        for pattern in ignored:
            rest = pattern.cut_from(rest)
        if not ignored or rest.strip():
            kept.append(rest.rstrip() if ignored else rest)
    return kept


def _within_limits(lines: list[str]) -> list[str]:
    size = 0
    for number, line in enumerate(lines[:MOST_LINES]):
        size += len(line) + 1
        if size > MOST_TEXT:
            return lines[:number]
    return lines[:MOST_LINES]
