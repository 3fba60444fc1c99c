# ruff: noqa: RUF001  (characters of many scripts are its subject)
"""What people type into a search box, understood. It is never wrong: what is no operator is a word. Pure functions.

``harbour fee`` finds both words, ``"harbour fee"`` the phrase, ``harb*`` what begins so, ``fee OR toll`` either,
``-crane`` leaves out. Brackets, colons and whatever else a search engine has operators for mean nothing.
"""

import re
from dataclasses import dataclass, replace

from jobs.search_index.tokens import terms_of

MOST_TERMS = 64
_PART = re.compile(r'(-?)"([^"]*)"?(\*?)|(\S+)')
_MINUS = frozenset("-−–")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Terms that stand side by side; the last one may be only the beginning of a word."""

    terms: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """All of ``wanted`` (of each, one alternative) and none of ``unwanted``."""

    wanted: tuple[tuple[Phrase, ...], ...]
    unwanted: tuple[Phrase, ...] = ()

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """Everything that a hit may hold."""
        return tuple(phrase for alternatives in self.wanted for phrase in alternatives)

    def loosened(self) -> "Query":
        """Return the query that is content with any of what is wanted."""
        return replace(self, wanted=(self.phrases,))


def parse(text: str) -> Query:
    """Return what a text asks for; without a single word ``wanted`` is empty."""
    wanted: list[tuple[Phrase, ...]] = []
    unwanted: list[Phrase] = []
    either = False
    for minus, part, star in _parts(text):
        if part == "OR" and not minus:
            either = bool(wanted)
            continue
        phrase = Phrase(tuple(terms_of(part)[:MOST_TERMS]), bool(star))
        if not phrase.terms or part == "AND":
            continue
        if minus:
            unwanted.append(phrase)
        elif either:
            wanted[-1] = (*wanted[-1], phrase)
        else:
            wanted.append((phrase,))
        either = False
    return Query(tuple(wanted[:MOST_TERMS]), tuple(unwanted[:MOST_TERMS]))


def _parts(text: str) -> list[tuple[bool, str, bool]]:
    """Return words and quoted phrases, each with whether a minus stands before it and a star after it."""
    parts = []
    for minus, quoted, star, word in _PART.findall(text):
        if not word:
            parts.append((bool(minus), quoted, bool(star)))
            continue
        negative = word[0] in _MINUS and len(word) > 1
        parts.append((negative, word[1:] if negative else word, word.endswith("*")))
    return parts
