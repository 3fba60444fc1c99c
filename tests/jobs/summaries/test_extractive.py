"""Summaries made of a text's own sentences."""

import pytest

from jobs.summaries.extractive import summarize
from jobs.summaries.words import language_of, terms_of

HARBOUR = """The harbour of Tidewater will close for two weeks in March. The council decided so on Monday.

Ferries to the harbour will stop at the old pier instead. The mayor likes tea. Fishing boats must leave the harbour by
the last day of February. Closing the harbour costs the town 2.4 million euros, the council said. It rained on Tuesday.
The harbour of Tidewater is going to be closed for two weeks in March."""


def test_it_takes_what_the_text_is_about_in_its_order() -> None:
    summary = summarize(HARBOUR, 3)

    assert summary.sentences[0] == "The harbour of Tidewater will close for two weeks in March."
    assert "The mayor likes tea." not in summary.sentences
    assert list(summary.sentences) == sorted(summary.sentences, key=HARBOUR.replace("\n", " ").index)
    assert (summary.of, summary.language) == (8, "en")


def test_what_says_the_same_is_taken_once() -> None:
    assert not any("going to be closed" in sentence for sentence in summarize(HARBOUR, 3).sentences)


def test_the_same_text_gives_the_same_summary() -> None:
    assert summarize(HARBOUR, 4) == summarize(HARBOUR, 4)


def test_a_short_text_is_its_own_summary() -> None:
    assert summarize("One. Two.", 5).sentences == ("One.", "Two.")


@pytest.mark.parametrize("text", ["", "\n\n", "*** --- ***"])
def test_nothing_has_no_summary(text: str) -> None:
    assert summarize(text, 5).sentences == ()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("港口三月关闭两周。市长喜欢喝茶。渡轮在港口关闭期间停靠旧码头。港口关闭费用很高。" * 1, "港口三月关闭两周。"),
        (
            "سيغلق الميناء في مارس. يحب العمدة الشاي. إغلاق الميناء مكلف. ستتوقف العبارات في الميناء القديم.",
            "سيغلق الميناء في مارس.",
        ),
    ],
)
def test_scripts_of_other_kinds_are_summarised_too(text: str, first: str) -> None:
    summary = summarize(text, 2)

    assert (len(summary.sentences), summary.sentences[0]) == (2, first)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The cat is on the mat and it was there before.", "en"),
        ("Der Hund ist in dem Haus und nicht auf der Straße.", "de"),
        ("Le chat est dans la maison et il ne dort pas.", "fr"),
        ("Он был на работе, но не пришёл и не позвонил.", "ru"),
        ("これは日本語の文章です。", "ja"),
        ("这是一个中文句子。", "zh"),
        ("هذه جملة عربية", "ar"),
        ("xyzzy plugh", ""),
        ("", ""),
    ],
)
def test_the_language_is_told_or_left_open(text: str, language: str) -> None:
    assert language_of(text) == language


def test_terms_leave_out_what_every_text_has() -> None:
    assert terms_of("The governments of the harbours", "en") == ["governm", "harbour"]
    assert terms_of("北京市") == ["北京", "京市"]
