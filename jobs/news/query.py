"""What a reader asks for in a few words: ``solar "heat pump" -ads``. No network, no Django."""

import re
import unicodedata
from dataclasses import dataclass

from jobs.feeds import FeedItem

_PART = re.compile(r'(-?)"([^"]*)"|(-?)(\S+)')
_WORD = re.compile(r"\w+")
_PREFIX = 4
"""Words of so many letters also find longer ones: ``bank`` finds ``banks``."""
_IN_TITLE = 3


@dataclass(frozen=True, slots=True)
class Query:
    """Words of which one is enough, phrases that must all occur, and what must not occur; all in folded form."""

    words: frozenset[str] = frozenset()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def score(self, item: FeedItem) -> int:
        """Return how well an item fits, 0 for not at all; a word in the title counts three times."""
        title, rest = f" {folded(item.title)} ", f" {folded(item.description)} "
        if any(_occurs(text, title) or _occurs(text, rest) for text in self.excluded):
            return 0
        if not all(_occurs(phrase, title) or _occurs(phrase, rest) for phrase in self.phrases):
            return 0
        in_title = sum(_occurs(word, title) for word in self.words)
        anywhere = sum(_occurs(word, title) or _occurs(word, rest) for word in self.words)
        if self.words and not anywhere:
            return 0
        return 1 + anywhere + _IN_TITLE * in_title


def parse_query(text: str) -> Query:
    """Read a query: words, phrases in quotation marks, and either with ``-`` before it."""
    words: set[str] = set()
    phrases: list[str] = []
    excluded: list[str] = []
    for minus_phrase, phrase, minus_word, word in _PART.findall(text):
        plain = folded(phrase or word)
        if not plain:
            continue
        if minus_phrase or minus_word:
            excluded.append(plain)
        elif phrase or " " in plain:
            phrases.append(plain)
        else:
            words.add(plain)
    return Query(frozenset(words), tuple(phrases), tuple(excluded))


def folded(text: str) -> str:
    """Return the words of a text without case and accents, with one blank between."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(_WORD.findall("".join(character for character in plain if not unicodedata.combining(character))))


def _occurs(wanted: str, text: str) -> bool:
    """Return whether a word or phrase stands in a folded text that has a blank at either end."""
    if not wanted.isascii():
        return wanted in text  # some scripts have no blanks between words
    return (f" {wanted}" if len(wanted) >= _PREFIX else f" {wanted} ") in text
