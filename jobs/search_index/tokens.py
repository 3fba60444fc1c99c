"""Tokens: the words of a text as they are searched for, the same whatever database keeps them. Pure functions.

Case, accents and vowel points do not count. Scripts without blanks (Chinese, Japanese, Korean, Thai) give one token per
character; a word of theirs is then a phrase.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 60
"""Characters of a token; longer ones are cut, on both sides of a search."""

_DENSE = (
    r"\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    r"\uf900-\ufaff\U00020000-\U0003ffff"
)
# Marks belong to the letter before them, but are no letters to Python.
_MARKS = r"\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
_INDIC = r"\u0900-\u0963\u0966-\u0dff"
_TOKEN = re.compile(rf"[{_DENSE}]|[^\W_{_DENSE}](?:[^\W_{_DENSE}]|[{_MARKS}{_INDIC}])*")
_IS_DENSE = re.compile(rf"[{_DENSE}]")


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and where in the text it stands."""

    term: str
    start: int
    end: int

    @property
    def is_dense(self) -> bool:
        """Whether it is a character of a script without blanks."""
        return _IS_DENSE.match(self.term) is not None


def tokens_of(text: str) -> Iterator[Token]:
    """Yield the tokens of a text in order."""
    for found in _TOKEN.finditer(text):
        if term := _normal(found.group()):
            yield Token(term, found.start(), found.end())


def terms_of(text: str) -> list[str]:
    """Return the terms of a text in order."""
    return [term for word in _TOKEN.findall(text) if (term := _normal(word))]


def _normal(word: str) -> str:
    if word.isascii():
        return word.lower()[:LONGEST]
    taken_apart = unicodedata.normalize("NFKD", word).casefold()
    bare = "".join(character for character in taken_apart if character.isalnum() or "\u0900" <= character <= "\u0dff")
    # Hangul is put together again: its parts are no characters of their own.
    return unicodedata.normalize("NFC", bare)[:LONGEST]
