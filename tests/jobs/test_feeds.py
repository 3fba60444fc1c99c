"""Reading feeds: what strangers send becomes a few clean items, or a refusal that says why."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.feeds import MAX_ITEMS, MAX_TITLE, FeedItem, NotAFeed, parse_feed

FEEDS = Path(__file__).parent / "feeds"
URL = "https://feeds.example/all"


def parse_file(name: str, content_type: str = "application/rss+xml") -> tuple[FeedItem, ...]:
    return parse_feed((FEEDS / name).read_bytes(), url=URL, content_type=content_type)


def feed_of(items: str, encoding: str = "utf-8", declaration: str = "") -> bytes:
    return f"{declaration}<rss version='2.0'><channel>{items}</channel></rss>".encode(encoding)


def item_of(title: str, extra: str = "") -> str:
    return f"<item><title>{title}</title><link>https://x.example/{len(title)}</link>{extra}</item>"


def titles(body: bytes, content_type: str = "") -> list[str]:
    return [item.title for item in parse_feed(body, url=URL, content_type=content_type)]


def test_rss_comes_newest_first_and_undated_last() -> None:
    assert parse_file("rss.xml") == (
        FeedItem(
            "Newer: exchange opens in Graz & Linz",
            "https://courier.example/graz?utm_source=rss",
            datetime(2025, 11, 21, 18, 45, 10, tzinfo=UTC),
            "Coin Courier",
        ),
        FeedItem(
            "Older: miners switch to hydro",
            "https://courier.example/miners",
            datetime(2025, 11, 20, 2, 0, tzinfo=UTC),
            "Coin Courier",
        ),
        FeedItem("Undated: what is a ledger?", "https://courier.example/ledger", None, "Coin Courier"),
    )


def test_atom_is_read() -> None:
    newest, _ = parse_file("atom.xml")

    assert newest.title == "Stablecoin rules agreed"
    assert newest.published == datetime(2025, 11, 21, 19, tzinfo=UTC)


def test_markup_in_an_atom_title_is_taken_off() -> None:
    assert parse_file("atom.xml")[1].title == "Newer: Exchange opens in Graz & Linz"


def test_rdf_is_read() -> None:
    assert parse_file("rdf.xml") == (
        FeedItem("Still RDF", "https://rdf.example/1", datetime(2025, 11, 19, 12, tzinfo=UTC), "Old School"),
    )


def test_a_feed_without_items_is_no_fault() -> None:
    assert parse_file("empty.xml") == ()


def test_a_feed_that_is_not_well_formed_is_read_all_the_same() -> None:
    assert [item.title for item in parse_file("malformed.xml")] == ["Fish & chips on chain", "Never closed"]


def test_the_source_is_the_host_when_the_feed_has_no_title() -> None:
    assert parse_feed(feed_of(item_of("a")), url=URL)[0].source == "feeds.example"


def test_relative_links_are_resolved() -> None:
    assert parse_file("relative.xml")[0].link == "https://feeds.example/news/1"


@pytest.mark.parametrize("name", ["entity_bomb.xml", "external_entity.xml"])
def test_entity_declarations_are_refused(name: str) -> None:
    with pytest.raises(NotAFeed, match="entities"):
        parse_file(name)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_entity_declarations_are_found_in_other_encodings(encoding: str) -> None:
    bomb = (FEEDS / "entity_bomb.xml").read_text().replace('<?xml version="1.0"?>', "<?xml version='1.0'?>")

    with pytest.raises(NotAFeed, match="entities"):
        parse_feed(bomb.encode(encoding), url=URL)


def test_an_external_dtd_is_refused_and_not_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        doctype = f"<!DOCTYPE rss SYSTEM 'http://127.0.0.1:{server.getsockname()[1]}/rss.dtd'>"

        with pytest.raises(NotAFeed, match="external DTD"):
            parse_feed(doctype.encode() + feed_of(item_of("a")), url=URL)

        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"<", b"not xml", b"{}", b"\x00" * 100, b"/etc/passwd", b"https://feeds.example/",
        b"<svg><item><title>x</title></item></svg>", b"<html><rss version='2.0'/></html>", b"PK\x03\x04zip",
        b"\xff\xfe", b"<?xml version='1.0' encoding='punycode'?>",
    ],
)  # fmt: skip
def test_what_is_no_feed_is_refused(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        parse_feed(body, url=URL)


def test_a_web_page_is_no_feed() -> None:
    with pytest.raises(NotAFeed, match="not a feed"):
        parse_file("page.html", "text/html")


def test_only_items_with_a_web_address_are_kept() -> None:
    assert [item.link for item in parse_file("hostile.xml")] == [
        "https://evil.example/a(1)_%22quoted%22%3Cb%3E",
        "https://evil.example/b",
    ]


def test_hostile_titles_are_reduced_to_plain_text() -> None:
    assert [(item.title, item.source) for item in parse_file("hostile.xml")] == [
        ("alert(1)Sale today", "Evil Empire"),
        ("Line break and override… [x](javascript:1) *bold* `code`", "Evil Empire"),
    ]


def test_long_titles_are_cut() -> None:
    (title,) = titles(feed_of(item_of("word " * 1000)))

    assert len(title) <= MAX_TITLE
    assert title.endswith("…")


@pytest.mark.parametrize(
    ("encoding", "declaration", "content_type"),
    [
        ("utf-8", "", ""),
        ("utf-8", "", "text/xml"),
        ("utf-8", "", "text/xml; charset=iso-8859-1"),
        ("utf-8", "<?xml version='1.0' encoding='iso-8859-1'?>", ""),
        ("utf-8-sig", "<?xml version='1.0'?>", ""),
        ("utf-16", "<?xml version='1.0' encoding='utf-16'?>", ""),
        ("utf-16-le", "<?xml version='1.0'?>", ""),
        ("cp1252", "", ""),
        ("cp1252", "<?xml version='1.0' encoding='iso-8859-1'?>", ""),
        ("cp1252", "<?xml version='1.0' encoding='no-such-charset'?>", ""),
        ("cp1252", "<?xml version='1.0' encoding='zlib'?>", "text/xml; charset=idna"),
        ("iso8859-15", "<?xml version='1.0' encoding='iso-8859-15'?>", ""),
        ("iso8859-15", "", 'text/xml; charset="ISO-8859-15"'),
    ],
)
def test_letters_survive_right_and_wrong_charsets(encoding: str, declaration: str, content_type: str) -> None:
    assert titles(feed_of(item_of("Grüße"), encoding, declaration), content_type) == ["Grüße"]


def test_latin1_is_read_as_browsers_do() -> None:
    assert parse_file("declared_latin1.xml")[0].title == "\u201cCafé\u201d"


def test_japanese_escapes_are_not_taken_for_utf8() -> None:
    declaration = "<?xml version='1.0' encoding='iso-2022-jp'?>"

    assert titles(feed_of(item_of("暗号"), "iso-2022-jp", declaration)) == ["暗号"]


def test_control_characters_do_not_spoil_a_feed() -> None:
    assert titles(b"\n \x0c" + feed_of(item_of("a\x00\x0bb"))) == ["ab"]


@pytest.mark.parametrize("date", ["", "soon", "Fri, 99 Nov 2025", "0000-00-00", "\u0661"])
def test_a_date_that_is_none_leaves_the_item_undated(date: str) -> None:
    (item,) = parse_feed(feed_of(item_of("a", f"<pubDate>{date}</pubDate>")), url=URL)

    assert item.published is None


def test_of_a_huge_feed_only_the_newest_items_are_looked_at() -> None:
    items = "".join(
        item_of(
            f"n{day:05}", f"<pubDate>{1000 + day // 28 // 12:04}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02}</pubDate>"
        )
        for day in range(3000)
    )

    assert titles(feed_of(items)) == [f"n{day:05}" for day in range(2999, 2999 - MAX_ITEMS, -1)]
