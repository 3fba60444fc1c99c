# ruff: noqa: RUF001  (characters of many scripts are its subject)
"""What people type into a search box."""

import pytest

from jobs.search_index.query import Phrase, Query, parse
from jobs.search_index.snippets import snippet_of
from jobs.search_index.tokens import terms_of


def word(*terms: str, prefix: bool = False) -> Phrase:
    return Phrase(terms, prefix)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("harbour fee", Query(((word("harbour"),), (word("fee"),)))),
        ('"harbour fee"', Query(((word("harbour", "fee"),),))),
        ("harb*", Query(((word("harb", prefix=True),),))),
        ('"new fe"*', Query(((word("new", "fe", prefix=True),),))),
        ("fee OR toll boat", Query(((word("fee"), word("toll")), (word("boat"),)))),
        ("fee -crane −pier", Query(((word("fee"),),), (word("crane"), word("pier")))),
        ('fee -"old pier"', Query(((word("fee"),),), (word("old", "pier"),))),
        ("fee AND boat", Query(((word("fee"),), (word("boat"),)))),
        ("well-known", Query(((word("well", "known"),),))),
        ("北京", Query(((word("北", "京"),),))),
        ("Über", Query(((word("uber"),),))),
    ],
)
def test_operators_that_are_understood(text: str, query: Query) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ('"never closed', [("never", "closed")]),
        ("OR", []),
        ("OR fee OR", [("fee",)]),
        ("((title:fee^2 NEAR/3", [("title", "fee", "2"), ("near", "3")]),
        ("{a} + b && !c | 'd", [("a",), ("b",), ("c",), ("d",)]),
        ('"" * -- "', []),
        ("\x00", []),
    ],
)
def test_everything_else_is_words(text: str, terms: list[tuple[str, ...]]) -> None:
    assert [phrase.terms for phrase in parse(text).phrases] == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Straße CAFÉ e\u0301te\u0301", ["strasse", "cafe", "ete"]),
        ("مُحَمَّد أحمد", ["محمد", "احمد"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("서울 시", ["서", "울", "시"]),
        ("x" * 100, ["x" * 60]),
    ],
)
def test_case_accents_and_vowel_points_do_not_count(text: str, terms: list[str]) -> None:
    assert terms_of(text) == terms


# -- snippets -----------------------------------------------------------------------------------------------------


def test_a_snippet_shows_where_most_words_stand() -> None:
    text = "filler " * 100 + "The new   harbour\nfee is high. " + "filler " * 100 + "fee"

    snippet = snippet_of(text, parse("harbour fee").phrases)

    assert "The new harbour fee is high." in snippet.text
    assert [snippet.text[start:end] for start, end in snippet.highlights] == ["harbour", "fee"]
    assert snippet.text.startswith("… ")
    assert snippet.text.endswith(" …")


def test_a_phrase_is_marked_only_where_it_stands_whole() -> None:
    snippet = snippet_of("A fee. Harbour fee. Fees.", parse('"harbour fee"').phrases)

    assert [snippet.text[start:end] for start, end in snippet.highlights] == ["Harbour", "fee"]


def test_characters_of_a_dense_script_are_marked_together() -> None:
    snippet = snippet_of("今天北京天气晴朗。", parse("北京").phrases)

    assert [snippet.text[start:end] for start, end in snippet.highlights] == ["北京"]


def test_without_a_match_the_beginning_is_shown() -> None:
    assert snippet_of("Nothing here", parse("fee").phrases).text == "Nothing here"
    assert snippet_of(" ... ", parse("fee").phrases).text == ""
