# ruff: noqa: RUF001  (characters of many scripts are its subject)
"""Where sentences end."""

import pytest

from jobs.summaries.sentences import LONGEST, sentences_of


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith went to Washington, D.C. on Jan. 5.", "He paid 3.14 dollars.", "It was J. S. Bach."],
        ["See e.g. the U.S. Army.", "The U.S. economy grew.", "He came at 5 p.m. on Monday."],
        ["They live in the U.S.", "The house is old."],
        ['"Really?" he asked.', "“Yes!”", "Prices rose 5.2%!"],
        ["Am 3. März kam Herr Nr. 5, z. B. nach Berlin.", "Er zahlte 1.000 Euro usw.", "Dann ging er."],
        ["Text here... and so on.", "Next…", "More."],
        ["В 2020 г. он жил в Москве.", "Потом уехал."],
    ],
)
def test_abbreviations_decimals_and_quotations_end_none(sentences: list[str]) -> None:
    assert sentences_of(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["北京时间今天上午，天气晴朗。", "他说：“我们走吧！”", "然后他们走了。", "是的？"],
        ["今日は晴れです。", "「行こう！」", "と彼は言った。"],
        ["यह एक वाक्य है।", "यह दूसरा है।"],
    ],
)
def test_full_stops_without_blanks(sentences: list[str]) -> None:
    assert sentences_of("".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["هذا نص عربي.", "هل هذا صحيح؟", "نعم، إنه صحيح."],
        ["یہ ایک جملہ ہے۔", "یہ دوسرا ہے۔"],
        ["זה משפט.", "וזה עוד אחד?"],
    ],
)
def test_text_from_right_to_left(sentences: list[str]) -> None:
    assert sentences_of(" ".join(sentences)) == sentences


def test_items_of_lists_and_headings_stand_alone() -> None:
    text = "# A heading\n\nText that\r\ngoes on.\n- one item\n- two items\n1. three\n\n\n***\n"

    assert sentences_of(text) == ["A heading", "Text that goes on.", "one item", "two items", "three"]


def test_what_has_no_end_is_divided_at_blanks_and_by_force() -> None:
    spaced, solid = sentences_of("word " * 400), sentences_of("ก" * 2000)

    assert all(len(sentence) <= LONGEST for sentence in [*spaced, *solid])
    assert " ".join(spaced).split() == ["word"] * 400
    assert "".join(solid) == "ก" * 2000


@pytest.mark.parametrize("text", ["", " \n\t", "...\n!!!", "\x00", "---\n***"])
def test_nothing_is_no_sentence(text: str) -> None:
    assert sentences_of(text) == []
