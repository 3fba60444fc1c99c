"""Snippets: the place of a text where most of what was searched for stands together. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from jobs.search_index.query import Phrase
from jobs.search_index.tokens import Token, tokens_of

TOKENS = 30
"""How many tokens a snippet is long; of scripts without blanks, half of the characters."""
SCANNED = 60_000
"""Tokens of a text that are looked through; who has his words later gets its beginning."""
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text on one line, and where in it the words stand that were searched for."""

    text: str
    highlights: tuple[Span, ...]


def snippet_of(text: str, phrases: Sequence[Phrase]) -> Snippet:
    """Return the part of a text that shows most of the phrases; its beginning when none is found."""
    tokens = list(islice(tokens_of(text), SCANNED))
    if not tokens:
        return Snippet("", ())
    found = _found(tokens, phrases)
    first = _best_window(tokens, found)
    last = min(len(tokens), first + _width(tokens, first)) - 1
    return _cut_out(text, tokens, first, last, {number for number, _ in found})


def _found(tokens: Sequence[Token], phrases: Sequence[Phrase]) -> list[tuple[int, int]]:
    """Return (number of the token, number of the phrase) wherever a phrase stands, in order."""
    found = []
    for which, phrase in enumerate(phrases):
        length = len(phrase.terms)
        starts = phrase.terms[0]
        for number in range(len(tokens) - length + 1):
            if length > 1 and tokens[number].term != starts:
                continue
            if _stands_at(tokens, number, phrase):
                found += [(number + step, which) for step in range(length)]
    return sorted(found)


def _stands_at(tokens: Sequence[Token], number: int, phrase: Phrase) -> bool:
    *before, last = phrase.terms
    if any(tokens[number + step].term != term for step, term in enumerate(before)):
        return False
    term = tokens[number + len(before)].term
    return term.startswith(last) if phrase.prefix else term == last


def _best_window(tokens: Sequence[Token], found: Sequence[tuple[int, int]]) -> int:
    """Return the first token of the window with the most different phrases, of those the most words, the earliest."""
    best, best_worth = 0, (0, 0)
    for position, (number, _) in enumerate(found):
        within = []
        for other, which in islice(found, position, None):
            if other >= number + _width(tokens, number):
                break
            within.append(which)
        worth = (len(set(within)), len(within))
        if worth > best_worth:
            best, best_worth = number, worth
    lead = _width(tokens, best) // 5
    return max(0, min(best - lead, len(tokens) - _width(tokens, best)))


def _width(tokens: Sequence[Token], number: int) -> int:
    return TOKENS * 2 if tokens[min(number, len(tokens) - 1)].is_dense else TOKENS


def _cut_out(text: str, tokens: Sequence[Token], first: int, last: int, marked: set[int]) -> Snippet:
    start, end = (0 if first == 0 else tokens[first].start), tokens[last].end
    parts, spans, at = [], [], start
    length = 0
    if start:
        parts.append("… ")
        length = 2
    for number in range(first, last + 1):
        token = tokens[number]
        between = _evened(text[at : token.start])
        word = text[token.start : token.end]
        length += len(between)
        if number in marked:
            spans.append((length, length + len(word)))
        parts += [between, word]
        length += len(word)
        at = token.end
    rest = text[end : end + 2].rstrip()
    parts.append(" …" if last + 1 < len(tokens) else rest)
    return Snippet("".join(parts), tuple(_joined(spans)))


def _evened(between: str) -> str:
    """Return what stands between two words, on one line and not too long."""
    even = " ".join(between.split())[:20]
    before = " " if between[:1].isspace() and even else ""
    after = " " if between[-1:].isspace() else ""
    return f"{before}{even}{after}" if even else after


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Return spans with those that touch made one, as characters of a dense script do."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
