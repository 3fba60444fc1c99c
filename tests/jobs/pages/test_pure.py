"""The pure parts of reading pages: what is visible, what changed, what is harmless, when to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pages.changes import compare
from jobs.pages.extraction import harmless, plain_paragraphs, plain_words, read_article
from jobs.pages.fetching import Kind, Page, PageFault, kind_of
from jobs.pages.pacing import LONGEST_DELAY, Pacer
from jobs.pages.visible import is_selector, is_too_deep, visible_lines
from tests.jobs.awkward import pages

lines = st.lists(st.sampled_from("abcde"), max_size=30)


@pytest.mark.parametrize(
    ("html", "selector", "expected"),
    [
        ("<p>Hello <b>big</b>\n world<br>next", None, ["Hello big world", "next"]),
        ("<table><tr><td>1<td>2<tr><td>3</table>", None, ["1 2", "3"]),
        ("<title>t</title><script>s</script><style>c</style><!-- n --><p>x", None, ["x"]),
        ("<div>a<div>b</div></div>", "div", ["a", "b"]),
        ("<p>a<p class=x>b", ".x", ["b"]),
        ("<p>a", ".x", None),
        ("<p>&lt;b&gt; &amp;", None, ["<b> &"]),
        ("", None, []),
    ],
)
def test_visible_lines(html: str, selector: str | None, expected: list[str] | None) -> None:
    assert visible_lines(html, selector) == expected


@pytest.mark.parametrize(
    ("selector", "usable"), [("main > p", True), ("p >", False), ("[[", False), ("div:has(p)", True)]
)
def test_which_selectors_can_be_used(selector: str, usable: bool) -> None:
    assert is_selector(selector) is usable


@pytest.mark.parametrize(
    ("html", "deep"),
    [("<div>" * 3000, True), ("<div>x</div>" * 3000, False), ("<li>x" * 3000, False), ("<br>" * 3000, False)],
)
def test_what_nests_too_deeply_is_seen_beforehand(html: str, deep: bool) -> None:
    assert is_too_deep(html) is deep


@given(lines, lines)
def test_a_difference_can_be_applied(before: list[str], after: list[str]) -> None:
    change = compare(before, after, names=("before", "after"))

    assert (change.diff == "") == (before == after)
    assert change.added - change.removed == len(after) - len(before)


def test_a_comparison_that_would_take_long_shows_the_middle_as_replaced() -> None:
    before = ["first", *(f"a{n % 150}" for n in range(20_000)), "last"]
    after = ["first", *(f"a{n * 7 % 151}" for n in range(20_000)), "last"]

    change = compare(before, after, names=("before", "after"))

    assert change.added == change.removed
    assert "-first" not in change.excerpt
    assert len(change.excerpt) == 12


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (b"%PDF-1.4 ...", "text/html", Kind.PDF),
        (b"\x89PNG\r\n", "text/html", Kind.PICTURE),
        (b"<?xml version='1.0'?>\n<rss>", "text/html", Kind.FEED),
        (b"<html>", "application/octet-stream", Kind.HTML),
        (b"plain", "", Kind.TEXT),
        (b'{"a": 1}', "application/problem+json", Kind.JSON),
        (b"PK\x03\x04", "application/zip", Kind.OTHER),
        (b"\0\0\0", "", Kind.OTHER),
        (b"<p>x", "text/html; charset=utf-8", Kind.HTML),
    ],
)
def test_what_a_body_is(body: bytes, content_type: str, kind: Kind) -> None:
    assert kind_of(body, content_type) is kind


def page(html: str, content_type: str = "text/html") -> Page:
    return Page("https://z.example/haus?x=1", 200, kind_of(html.encode(), content_type), html.encode(), content_type)


def test_an_article_is_told_from_what_is_around_it() -> None:
    article = read_article(page(pages.ARTICLE))

    assert (article.title, article.author, article.date, article.language) == (
        "Haus am See",
        "Ana Blau",
        "2025-03-04",
        "de",
    )
    assert (article.canonical, article.site) == ("https://z.example/haus", "Seezeitung")
    assert "**Holz aus der Gegend**" in article.markdown
    assert "https://z.example/garten(1)" in article.markdown
    assert not any(word in article.markdown for word in ("Wetter", "Impressum", "alert"))


def test_broken_html_is_read_as_a_browser_would() -> None:
    markdown = read_article(page(pages.BROKEN)).markdown

    assert "A second paragraph" in markdown
    assert "The first paragraph never ends" in markdown
    assert markdown.endswith("in the middle of a tag")


def test_what_has_too_many_tags_is_read_line_by_line() -> None:
    article = read_article(page("<html><head><title>T</title></head><body>" + "<p>a<b>x</b></p>" * 30_000))

    assert (article.title, article.whole, article.words) == ("T", True, 30_000)


@pytest.mark.parametrize(
    ("html", "code"),
    [("<div>" * 5000, "too_deep"), ("<html><body><script>x</script>", "no_text"), ("<rss></rss>", "not_a_page")],
)
def test_what_is_no_article_says_what_it_is(html: str, code: str) -> None:
    with pytest.raises(PageFault) as fault:
        read_article(page(html))

    assert (fault.value.code, fault.value.permanent) == (code, True)


@pytest.mark.parametrize(
    ("markdown", "safe"),
    [
        ("[a](javascript:alert(1))", "[a]"),
        ("[a](<javascript:alert(1)>)", "[a]"),
        ("[a](https://x.example/(1))", "[a](https://x.example/(1))"),
        ("[a](<https://x.example/(1)>)", "[a](<https://x.example/(1)>)"),
        ("x <img src=x> \\<b>", "x &lt;img src=x> &lt;b>"),
        ("```\n<b>\n```", "```\n<b>\n```"),
        ("1 < 2", "1 < 2"),
    ],
)
def test_markdown_from_strangers_is_made_harmless(markdown: str, safe: str) -> None:
    assert harmless(markdown) == safe


def test_markdown_becomes_plain_text() -> None:
    markdown = "# T\n\nA **bold** [link](https://x.example/(1)) and snake_case.\n\n- one\n- two"

    assert plain_words(markdown) == "A bold link and snake_case. - one - two"
    assert plain_paragraphs(markdown) == ["T", "A bold link and snake_case.", "- one\n- two"]


def test_hosts_get_their_pauses() -> None:
    pacer = Pacer(1.0)
    pacer.note("a", 100.0)
    pacer.note("b", 100.0, asked=5.0)
    pacer.note("c", 100.0, asked=9999.0)

    assert [pacer.wait_for(host, 100.5) for host in "abcd"] == [0.5, 4.5, LONGEST_DELAY - 0.5, 0.0]
