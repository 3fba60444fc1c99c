"""JSON and differences between texts with a little colour, as HTML. Pure."""

import re

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

COLOURED = 64 * 1024
"""Characters beyond which nothing is coloured: each word of it costs the browser something."""
# A text that never ends goes to the end: else the search for its end would begin anew at each quote within it.
_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*+")(?=\s*:)|(?P<text>"(?:[^"\\]|\\.)*+(?:"|\\?\Z))'
    r"|(?P<word>\b(?:true|false|null)\b|-?\d[\d.eE+-]*)",
    re.DOTALL,
)


def coloured_json(text: str) -> SafeString:
    """Return JSON with its keys, texts and other values told apart."""
    if len(text) > COLOURED:
        return escape(text)
    parts: list[tuple[str | None, str]] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts += [(None, text[end : match.start()]), (match.lastgroup, match[0])]
        end = match.end()
    return _joined([*parts, (None, text[end:])])


def coloured_diff(text: str) -> SafeString:
    """Return a difference with what goes and what comes told apart."""
    if len(text) > COLOURED:
        return escape(text)
    return _joined([(_sort_of_line(line), line) for line in text.splitlines(keepends=True)])


def _sort_of_line(line: str) -> str | None:
    if line.startswith(("+++", "---", "@@", "diff ", "index ")):
        return "meta"
    return {"+": "added", "-": "removed"}.get(line[:1])


def _joined(parts: list[tuple[str | None, str]]) -> SafeString:
    return format_html_join(
        "",
        "{}",
        ((format_html('<span class="job-{}">{}</span>', sort, text) if sort else text,) for sort, text in parts),
    )
