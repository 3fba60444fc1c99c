"""The brief: which items go in, and how the page reads."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.brief import MOST_AHEAD, FailedSource, choose_items, render_brief
from jobs.feeds import FeedItem
from jobs.plain_text import clean_text

NOW = datetime(2025, 11, 22, 23, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def item(title: str = "Title", link: str = "https://x.example/1", age_hours: float | None = 1.0) -> FeedItem:
    published = None if age_hours is None else NOW - timedelta(hours=age_hours)
    return FeedItem(title, link, published, "Source")


def chosen_titles(*items: FeedItem, limit: int = 10) -> list[str]:
    return [chosen.title for chosen in choose_items(items, limit=limit, now=NOW)]


def test_the_newest_come_first_and_the_undated_last() -> None:
    assert chosen_titles(
        item("undated", "https://x.example/u", None),
        item("old", "https://x.example/o", 9),
        item("new", "https://x.example/n", 1),
    ) == ["new", "old", "undated"]


def test_there_are_no_more_than_asked_for() -> None:
    assert chosen_titles(*(item(f"t{n}", f"https://x.example/{n}", n) for n in range(9)), limit=2) == ["t0", "t1"]


@pytest.mark.parametrize(
    "link",
    [
        "http://x.example/a", "https://www.x.example/a", "https://x.example/a/", "https://X.example:443/a#top",
        "https://x.example/a?utm_source=rss&utm_medium=feed", "https://x.example/a?fbclid=1",
    ],
)  # fmt: skip
def test_the_same_article_is_taken_once(link: str) -> None:
    assert chosen_titles(item("one", "https://x.example/a"), item("two", link, 2)) == ["one"]


@pytest.mark.parametrize(
    "link", ["https://x.example/a?id=2", "https://x.example/b", "https://y.example/a", "https://x.example:81/a"]
)
def test_other_articles_stay(link: str) -> None:
    assert chosen_titles(item("one", "https://x.example/a?id=1"), item("two", link, 2)) == ["one", "two"]


def test_the_same_title_is_taken_once_and_from_the_newest() -> None:
    assert chosen_titles(
        item("Ether: up  3%", "https://a.example/1", 2), item("ETHER up 3 %!", "https://b.example/2", 1)
    ) == ["ETHER up 3 %!"]


def test_titles_without_a_letter_are_not_compared() -> None:
    assert chosen_titles(item("🚀", "https://a.example/1", 1), item("📉", "https://a.example/2", 2)) == ["🚀", "📉"]


def test_an_item_a_little_ahead_counts_as_of_now() -> None:
    (chosen,) = choose_items([item(age_hours=-5)], limit=1, now=NOW)

    assert chosen.published == NOW


def test_an_item_far_ahead_counts_as_undated() -> None:
    ahead = item("ahead", "https://x.example/f", -(MOST_AHEAD.total_seconds() / 3600 + 1))

    assert chosen_titles(ahead, item("real", "https://x.example/r", 5)) == ["real", "ahead"]


def test_the_page_reads_well() -> None:
    page = render_brief(
        [item("Ether up", "https://x.example/(1)"), item("Undated", "https://x.example/2", None)],
        [FailedSource("https://down.example/rss?key=secret", "The server answered 503.")],
        now=NOW,
        zone=BERLIN,
    )

    assert page == (
        "# Crypto brief\n\nSunday 23 November 2025, 00:30 · 2 headlines\n\n"
        "## Yesterday\n\n### [Ether up](https://x.example/%281%29)\n\nSource · 23:30\n\n"
        "## Without a date\n\n### [Undated](https://x.example/2)\n\nSource\n\n"
        "## Could not be read\n\n- down.example/rss: The server answered 503.\n\n"
        "*All times in Europe/Berlin.*\n"
    )


def test_a_summary_is_the_first_sentence_of_what_the_feed_says() -> None:
    told = FeedItem(
        "Ether up", "https://x.example/1", NOW, "Source", "It *rose*. " + "And then some more was said. " * 10
    )

    page = render_brief([told], [], now=NOW, zone=BERLIN, summaries=True)

    assert "Source · 00:30\n\nIt \\*rose\\*. And then" in page
    assert "It \\*rose" not in render_brief([told], [], now=NOW, zone=BERLIN)


def test_a_page_without_items_says_so() -> None:
    assert "Nothing new in the feeds." in render_brief([], [], now=NOW, zone=BERLIN)


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_can_be_shown(moment: datetime) -> None:
    page = render_brief([FeedItem("t", "https://x.example/", moment, "s")], [], now=NOW, zone=ZoneInfo("Asia/Tokyo"))
    west = render_brief([FeedItem("t", "https://x.example/", moment, "s")], [], now=NOW, zone=ZoneInfo("America/Lima"))

    assert f" {moment.year}\n" in page
    assert f" {moment.year}\n" in west


@settings(deadline=None)
@given(title=st.text(max_size=30), source=st.text(max_size=30), error=st.text(max_size=30))
def test_nothing_hostile_adds_a_line_to_the_page(title: str, source: str, error: str) -> None:
    hostile = FeedItem(clean_text(title, 100), "https://x.example/", None, clean_text(source, 100))
    page = render_brief([hostile], [FailedSource(source, error)], now=NOW, zone=BERLIN)

    assert len(page.splitlines()) == 15
    assert not re.search(r"[<>]", page)
