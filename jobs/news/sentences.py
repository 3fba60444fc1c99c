"""The first sentences of a text, for a line under a headline. No network, no Django."""

import re

# What ends a sentence, also in Chinese and Japanese, unless an initial or a title stands before it.
_WIDE = "\u3002\uff01\uff1f"
_CLOSING = "\"'\u201d\u2019\u00bb)\\]"
_ABBREVIATED = r"(?<![\s.][A-Za-z])(?<!\b(?:Mr|Ms|Dr|St|vs|No|Nr|ca))(?<!\bMrs)"
_END = re.compile(rf"{_ABBREVIATED}[.!?\u2026]+[{_CLOSING}]*(?=\s+\S|\Z)|[{_WIDE}]")
_READ_MORE = re.compile(
    r"\s*(?:\[(?:\u2026|\.\.\.)\]|(?:continue reading|read more|weiterlesen|mehr lesen)\b.{0,40}"
    r"|The post .{1,300} appeared first on .{1,120})\s*\Z",
    re.IGNORECASE,
)


def first_sentences(text: str, longest: int) -> str:
    """Return as many whole sentences from the beginning of a text as fit, at least the beginning of the first."""
    text = _READ_MORE.sub("", " ".join(text.split()))
    if len(text) <= longest:
        return text
    ends = [found.end() for found in _END.finditer(text) if found.end() <= longest]
    if ends:
        return text[: ends[-1]]
    at_blank = text[:longest].rpartition(" ")[0]
    # Some scripts have no blanks between words.
    cut = at_blank if len(at_blank) >= longest // 2 else text[: longest - 1]
    return cut.rstrip(" ,;:\u2013-") + "…"
