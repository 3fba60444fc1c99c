# ruff: noqa: RUF001  (characters of many scripts are its subject)
"""Sentences: where they end, in scripts with and without blanks. A pure function of the text.

It knows abbreviations, initials, decimals, ordinals, quotation marks and ellipses of European languages, and the full
stops of Chinese, Japanese, Arabic, Urdu, Hindi and others. A text without any is divided by its lines.
"""

import re
from collections.abc import Iterator

from jobs.summaries.words import USUAL_WORDS

LONGEST = 700
"""Characters; what is longer (Thai has no full stops, some people neither) is divided at commas and blanks."""

_PARAGRAPHS = re.compile(r"\n[ \t\r\f\v]*\n\s*")
# A new item of a list begins a sentence, whatever stood before it.
_ITEMS = re.compile(r"\n(?=\s*(?:[-*•‣–]\s|#{1,6}\s|\d{1,3}[.)]\s))")
_BULLET = re.compile(r"^\s*(?:[-*•‣–]\s+|#{1,6}\s+|\d{1,3}[.)]\s+)")
_CLOSING = "\"'”’»›)\\]」』）】》＂"
_OPENING = " \"'“‘„‚«‹([¿¡"
# Full stops that need no blank after them, and those that do.
_END = re.compile(rf"[。！？｡．؟۔।॥։።፧]+[{_CLOSING}]*|[.!?…‥]+[{_CLOSING}]*(?=\s|$)")
_BREAKS = re.compile(r"[;；،,、，:：]\s*|\s+")

_ABBREVIATIONS = frozenset(
    """
    abs al approx apr aprox art aug av avv bd bijv bzw ca capt cf chap co col corp d.h d.w.z dec dept dhr
    dott dr dña e.g ecc ed eds ee.uu ej env enz est etc evtl feb fig figs fr frl geb gen gest ggf gov hon hr
    i.e inc ing inkl jan jr jul jun lt ltd m mar max mevr min mio mlle mlles mm mme mmes mr mrd mrs ms mw nl
    no nos nov nr o.a o.ä oct p.ex pp pres prof pág págs rep rev sen sep sept sgt sig sig.ra sigg sr sra srta
    st str tel u.a u.s.w ud uds usw vgl viz vol vs z.b éd г гг др млн млрд руб т.д т.е т.к т.п тыс ул
    """.split()  # noqa: SIM905  (a list of them would fill a page)
)
_LIST_ENDERS = frozenset({"etc", "usw", "u.s.w", "ecc", "enz", "inc", "ltd", "co", "corp", "т.д", "т.п", "al", "jr"})
"""Abbreviations that often end a sentence as well."""
_BEFORE_ORDINAL = frozenset({"am", "im", "der", "dem", "den", "des", "vom", "bis", "ab", "seit", "zum", "und"})
_WORD_BEFORE = re.compile(r"(\S+)$")
_NUMBER = re.compile(r"\d{1,3}")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text in order, blanks evened out, without the marks of lists; none for a blank text."""
    return [
        piece
        for block in blocks_of(text)
        for sentence in _split(block)
        for piece in _short_enough(sentence)
        if any(map(str.isalnum, piece))
    ]


def blocks_of(text: str) -> list[str]:
    """Return the paragraphs and the items of lists, each on one line."""
    clean = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    parts = (item for paragraph in _PARAGRAPHS.split(clean) for item in _ITEMS.split(paragraph))
    return [block for part in parts if (block := " ".join(_BULLET.sub("", part).split()))]


def _split(block: str) -> Iterator[str]:
    start = 0
    for mark in _END.finditer(block):
        if _ends_here(block, start, mark):
            yield block[start : mark.end()].strip()
            start = mark.end()
    if rest := block[start:].strip():
        yield rest


def _ends_here(block: str, start: int, mark: re.Match[str]) -> bool:
    """Return whether a mark that may end a sentence does."""
    stop = mark.group()[0]
    if stop not in ".!?…‥":
        return True
    following = _word_at(block, mark.end())
    if following[:1].islower():
        return False  # 'Really?' he asked ... and so on
    if stop != "." or mark.group().startswith(".."):
        return True
    return not _is_abbreviated(block[start : mark.start()], following)


def _word_at(block: str, position: int) -> str:
    """Return the next word after a position, without what opens a quotation; of a long one the beginning."""
    return block[position : position + 60].lstrip(_OPENING).partition(" ")[0]


def _is_abbreviated(before: str, following: str) -> bool:
    """Return whether the full stop after ``before`` belongs to its last word; ``following`` is the next one."""
    found = _WORD_BEFORE.search(before)
    word = found.group(1).strip(_OPENING) if found else ""
    bare = word.casefold()
    if bare in _LIST_ENDERS:
        return bool(following) and not following[0].isupper()
    if bare in _ABBREVIATIONS:
        return True
    if len(word) == 1 and word.isalpha():
        return True  # J. S. Bach, z. B.
    if _INITIALS.fullmatch(word):
        return following.casefold() not in USUAL_WORDS  # the U.S. Army, but: in the U.S. The
    if _NUMBER.fullmatch(word):
        earlier = before[: -len(word)].split()
        return bool(earlier) and earlier[-1].casefold() in _BEFORE_ORDINAL  # am 3. März
    return False


def _short_enough(sentence: str) -> Iterator[str]:
    rest = sentence
    while len(rest) > LONGEST:
        breaks = [found.end() for found in _BREAKS.finditer(rest, LONGEST // 2, LONGEST)]
        at = breaks[-1] if breaks else LONGEST
        yield rest[:at].strip()
        rest = rest[at:].strip()
    if rest:
        yield rest
