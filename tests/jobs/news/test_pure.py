"""Which stories a digest has: queries, doubles, and the sentence under a headline."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.feeds import FeedItem
from jobs.news.choosing import choose_stories, story_key
from jobs.news.query import parse_query
from jobs.news.sentences import first_sentences

NOW = datetime(2025, 11, 22, 12, tzinfo=UTC)


def item(title: str, link: str = "", *, hours: float | None = 1, text: str = "", source: str = "Paper") -> FeedItem:
    published = None if hours is None else NOW - timedelta(hours=hours)
    return FeedItem(title, link or f"https://n.example/{abs(hash(title))}", published, source, text)


@pytest.mark.parametrize(
    ("query", "title", "text", "fits"),
    [
        ("", "Anything", "", True),
        ("solar", "Solar power grows", "", True),
        ("bank", "Banks fail", "", True),
        ("ai", "Air is clean", "", False),  # short words are whole words
        ("solar wind", "Wind only", "", True),
        ('"heat pump"', "A heat pump sells", "", True),
        ('"heat pump"', "A pump of heat", "", False),
        ("solar -advert", "Solar advertisement", "", False),
        ("graz", "Neues aus der Stadt", "In Graz gibt es", True),
        ("muller", "Frau Müller sagt", "", True),
        ("東京", "今日の東京は晴れ", "", True),
        ("solar", "Wind", "", False),
    ],
)
def test_what_a_query_finds(query: str, title: str, text: str, fits: bool) -> None:
    assert bool(parse_query(query).score(item(title, text=text))) is fits


def chosen(*items: FeedItem, query: str = "", shown: tuple[str, ...] = (), since: datetime | None = None) -> list[str]:
    stories = choose_stories(items, query=parse_query(query), shown=shown, since=since, limit=10, now=NOW)
    return [story.item.title for story in stories]


def test_the_best_fit_comes_first_then_the_newest() -> None:
    assert chosen(
        item("Wind", text="solar", hours=1), item("Solar", hours=5), item("Solar too", hours=3), query="solar"
    ) == ["Solar too", "Solar", "Wind"]


def test_the_same_story_in_other_words_is_told_once_with_who_else_has_it() -> None:
    stories = choose_stories(
        [
            item("Big bank buys small bank for 3 billion", source="A", hours=1),
            item("Big bank buys a small bank for 3 billion", source="B", hours=2),
            item("Big bank buys small bank for 4 billion", source="C", hours=3),
        ],
        query=parse_query(""), shown=(), since=None, limit=10, now=NOW,
    )  # fmt: skip

    assert [(story.item.source, story.also) for story in stories] == [("A", ["B"]), ("C", [])]


def test_what_was_shown_and_what_is_old_is_left_out() -> None:
    old, seen, new = item("old", hours=50), item("seen"), item("new")

    assert chosen(old, seen, new, shown=(story_key(seen),), since=NOW - timedelta(days=1)) == ["new"]


def test_a_page_is_new_again_when_it_is_rewritten() -> None:
    one, other = (FeedItem("t", "https://x.example/", None, "s", "", version) for version in ("1", "2"))

    assert story_key(one) != story_key(other)


@pytest.mark.parametrize(
    ("text", "longest", "sentence"),
    [
        ("One. Two. Three.", 9, "One. Two."),
        ("One. Two.", 50, "One. Two."),
        ("Dr. No is here. And gone.", 20, "Dr. No is here."),
        ("a b c d e f g h", 8, "a b c d…"),
        ("今日は晴れ。明日は雨。", 8, "今日は晴れ。"),
        ("Text here. The post Text appeared first on Blog.", 100, "Text here."),
        ("", 10, ""),
    ],
)
def test_the_first_sentences(text: str, longest: int, sentence: str) -> None:
    assert first_sentences(text, longest) == sentence
