"""Markdown that a job wrote, as HTML that is safe in the owner's session, whatever stands in it.

Two lines of defence: what is not on the short lists below goes, and the page's Content-Security-Policy runs no script
and loads nothing from elsewhere. A picture becomes a link to it.
"""

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import markdown
import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

LARGEST = 128 * 1024
"""Bytes beyond which a page of Markdown is not rendered: that takes time by its length."""
PATIENCE_SECONDS = 1.5
"""How long one page may take: with brackets that never close it would be minutes."""
_UNCLOSED = 50
"""How many tags may begin and never end: the parser looks for the end of each to the end of the page."""
_FENCES = 500
"""How many lines may begin or end a block of code: each makes the parser copy the page."""
_FENCE = re.compile(r"^(?:```|~~~)", re.MULTILINE)
_TAG_WITHOUT_END = re.compile(r"<(?=[a-zA-Z/!?])[^<>]*(?=<|\Z)")
TAGS = frozenset(
    {
        *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "dl", "dt", "em", "hr", "i", "kbd", "li", "ol"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "s", "strong", "sub", "sup", "ul"),
        *("table", "tbody", "td", "th", "thead", "tr"),
    }
)
ATTRIBUTES = {"a": {"href", "title"}, "th": {"align"}, "td": {"align"}, "ol": {"start"}}
SCHEMES = frozenset({"http", "https"})


class TooHard(Exception):
    """Rendering this page would take too long, or it is nested beyond reason."""


def render_markdown(text: str) -> SafeString:
    """Return the HTML of a page of Markdown; raises ``TooHard``."""
    if len(_TAG_WITHOUT_END.findall(text)) > _UNCLOSED or len(_FENCE.findall(text)) > _FENCES:
        raise TooHard
    extensions: list[Any] = ["tables", "fenced_code", "sane_lists", _Calm()]
    configuration = {"tables": {"use_align_attribute": True}}
    try:
        return clean(markdown.markdown(text, extensions=extensions, extension_configs=configuration))
    except RecursionError:
        raise TooHard from None


def clean(html: str) -> SafeString:
    """Return HTML without anything that is not on the lists."""
    safe = nh3.clean(
        html,
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(safe)  # noqa: S308  (it is what nh3 lets pass)


class _Calm(Extension):
    """Headings that fit below those of the page, pictures as links, and an end to a page that takes too long."""

    def extendMarkdown(self, md: markdown.Markdown) -> None:  # noqa: N802  (Markdown's name)
        """Add the step after all others have made the tree, and a look at the clock to each step."""
        md.treeprocessors.register(_CalmTree(md), "calm", 5)
        until = time.monotonic() + PATIENCE_SECONDS
        for pattern in md.inlinePatterns:
            pattern.handleMatch = _timed(pattern.handleMatch, until)  # type: ignore[method-assign]
        for processor in md.parser.blockprocessors:
            processor.run = _timed(processor.run, until)  # type: ignore[method-assign]


def _timed(step: Callable[..., Any], until: float) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        if time.monotonic() > until:
            raise TooHard
        return step(*args)

    return timed


class _CalmTree(Treeprocessor):
    def run(self, root: ET.Element) -> None:
        """Change the tree in place."""
        for element in root.iter():
            if element.tag in {"h1", "h2", "h3", "h4"}:
                element.tag = f"h{int(element.tag[1]) + 2}"
            elif element.tag == "img":
                _as_link(element)


def _as_link(picture: ET.Element) -> None:
    source = picture.get("src", "")
    picture.tag, picture.text = "a", f"{picture.get('alt') or 'picture'} (picture)"
    picture.attrib.clear()
    picture.set("href", source)
