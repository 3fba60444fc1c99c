"""The visible text of an HTML page, or of the parts that a CSS selector names, line by line. No network, no Django."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_HIDDEN = frozenset({"script", "style", "noscript", "template", "svg", "head", "iframe", "object"})
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "cite",
        "code",
        "data",
        "dfn",
        "em",
        "i",
        "kbd",
        "label",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "time",
        "u",
        "var",
        "font",
        "del",
        "ins",
        "wbr",
        "tt",
        "big",
        "strike",
    ]
)
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
# Browsers close these by themselves, so a page full of them without an end is still flat.
_SELF_CLOSED = frozenset(
    [
        "p",
        "li",
        "dt",
        "dd",
        "tr",
        "td",
        "th",
        "thead",
        "tbody",
        "tfoot",
        "colgroup",
        "option",
        "optgroup",
        "rt",
        "rp",
        "html",
        "body",
    ]
)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)[^<>]*")
_DEEPEST = 2000


def is_too_deep(html: str) -> bool:
    """Return whether elements nest deeper than any page for people does.

    The standard's rules for parsing walk up all open elements again and again: 100,000 of them take minutes.
    """
    depth = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name in _VOID or name in _SELF_CLOSED:
            continue
        depth = max(0, depth - 1) if tag[1] else depth + (0 if tag[0].endswith("/") else 1)
        if depth > _DEEPEST:
            return True
    return False


def is_selector(selector: str) -> bool:
    """Return whether a CSS selector can be used."""
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError  # noqa: PLC0415  (used by two job types only)

    with suppress(SelectolaxError, ValueError):
        LexborHTMLParser("<p>").css(selector)
        return True
    return False


def visible_lines(html: str, selector: str | None = None) -> list[str] | None:
    """Return the visible lines of a page, None when nothing on it is what ``selector`` (CSS) names.

    Blanks are joined, empty lines left out, and characters brought into one form (NFC), so that two pages that look
    the same have the same lines. Scripts, styles and what else is not shown are left out.
    """
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415  (used by two job types only)

    tree = LexborHTMLParser(html)
    if selector is None:
        nodes = [node for node in (tree.body or tree.root,) if node is not None]
    else:
        nodes = _outermost(tree.css(selector))
        if not nodes:
            return None
    return [line for node in nodes for line in text_lines("".join(_pieces(node)))]


def text_lines(text: str) -> list[str]:
    """Return the lines of a text with blanks joined and empty lines left out."""
    lines = (" ".join(line.split()) for line in unicodedata.normalize("NFC", text).splitlines())
    return [line for line in lines if line]


def _outermost(nodes: "list[LexborNode]") -> "list[LexborNode]":
    """Leave out what lies within another match, whose text would come twice."""
    chosen = {node.mem_id for node in nodes}
    return [node for node in nodes if not any(parent.mem_id in chosen for parent in _parents(node))]


def _parents(node: "LexborNode") -> "Iterator[LexborNode]":
    parent = node.parent
    for _ in range(_DEEPEST):
        if parent is None:
            return
        yield parent
        parent = parent.parent


def _pieces(top: "LexborNode") -> Iterator[str]:
    """Yield text and line breaks in the order of the page; not recursive, since pages nest as deep as they like."""
    stack: list[LexborNode | str] = [top]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
            continue
        tag = node.tag or ""
        if tag == "-text":
            yield _one_line(node.text(deep=False) or "")
        elif tag not in _HIDDEN and not tag.startswith("-comment"):
            stack += _opened(node, tag)


def _opened(node: "LexborNode", tag: str) -> "list[LexborNode | str]":
    """Return what to do next for an element, last first: its end, its children, its beginning."""
    around = "" if tag in _INLINE else " " if tag in {"td", "th"} else "\n"
    children: list[LexborNode | str] = []
    child = node.child
    while child is not None:
        children.append(child)
        child = child.next
    return [around, *reversed(children), around]


def _one_line(text: str) -> str:
    """Return text with its own line breaks as blanks: in HTML only elements break lines."""
    return " ".join(text.splitlines()) if "\n" in text or "\r" in text else text
