"""Text and links from strangers, made harmless."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.plain_text import clean_link, clean_text, markdown_link, markdown_text, short_address

# Pieces that hostile titles are made of, so that random titles are nasty more often than by chance.
_PIECES = st.sampled_from(
    ["<", ">", "&lt;", "&gt;", "&amp;", "&amp;lt;", "<script>", "</b>", "<!--", "\n", "\r", "\u2028", "\x85", "\x00",
     "\u202e", "\u2066", "&#8238;", "&#10;", "&#0;",
     "[a](b)", "![", "*", "_", "`", "\\", "|", "~", "#", "b", " ", "\ud800"]
)  # fmt: skip
# A busy machine is no fault of the code.
_unhurried = settings(deadline=None)
_TITLES = st.lists(_PIECES | st.text(max_size=3), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, ""),
        ("  two\n\t words\u2028here ", "two words here"),
        ("Bit<b>coin</b>", "Bitcoin"),
        ("AT&amp;T", "AT&T"),
        ("&amp;#8217;s", "\u2019s"),
        ("&lt;script&gt;x&lt;/script&gt;", "x"),
        ("&amp;lt;img src=x&amp;gt;y", "y"),
        ("<<b>script>z", "z"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("a<b", "a< b"),
        ("\u202eevil\u2066 \x00text\x85", "evil text"),
        ("👩\u200d🚀 ok", "👩\u200d🚀 ok"),
        ("abcdefghijk", "abcdefghi…"),
    ],
)
def test_text_becomes_one_plain_line(raw: object, expected: str) -> None:
    assert clean_text(raw, 10 if raw == "abcdefghijk" else 100) == expected


@_unhurried
@given(title=_TITLES)
def test_no_title_keeps_markup_or_anything_invisible(title: str) -> None:
    text = clean_text(title, 100)

    assert not re.search(r"<[A-Za-z/!?]", text)
    assert not {unicodedata.category(character) for character in text} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert text == " ".join(text.split())


@_unhurried
@given(title=_TITLES)
def test_cleaning_twice_changes_nothing(title: str) -> None:
    once = clean_text(title, 100)

    assert clean_text(once, 100) == once


@_unhurried
@given(title=_TITLES)
def test_markdown_of_a_title_is_one_line_without_raw_markup(title: str) -> None:
    markdown = markdown_text(clean_text(title, 100))

    assert len(markdown.splitlines()) <= 1
    assert "<" not in markdown
    assert ">" not in markdown
    assert not re.search(r"(?<!\\)(\\\\)*[*_`\[\]~|#]", markdown)


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("C# & D_E", "C\\# & D\\_E"),
        ("[x](javascript:1) *b*", "\\[x\\](javascript:1) \\*b\\*"),
        ("1 < 2", "1 &lt; 2"),
        ("&lt;b&gt; R&D", "&amp;lt;b&amp;gt; R&amp;D"),
        ("$100.50 - up 3%!", "$100.50 - up 3%!"),
    ],
)
def test_markdown_shows_text_as_it_is(text: str, markdown: str) -> None:
    assert markdown_text(text) == markdown


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("https://a.example/b?c=d#e", "https://a.example/b?c=d#e"),
        ("  http://a.example:8080/  ", "http://a.example:8080/"),
        ("HTTPS://A.example/", "https://A.example/"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
        ("https://münchen.example/ü", "https://münchen.example/%C3%BC"),
        ("https://a.example/a b<c>\"d'`", "https://a.example/a%20b%3Cc%3E%22d'%60"),
        ("https://a.example/\u202egpj.exe", "https://a.example/%E2%80%AEgpj.exe"),
    ],
)
def test_a_web_address_is_kept(raw: str, expected: str) -> None:
    assert clean_link(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        None, "", "/relative", "//host/x", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)",
        "data:text/html,x", "file:///etc/passwd", "ftp://a.example/", "http://", "https://user@a.example/",
        "https://bank.example\\@evil.example/", "https://a.example:99999/", "https://a.example:x/", "https://[::1",
        "https://a b.example/", "https://a.example\u202e/", "https://a.example/" + "x" * 3000,
    ],
)  # fmt: skip
def test_any_other_address_is_refused(raw: object) -> None:
    assert clean_link(raw) is None


@_unhurried
@given(raw=_TITLES.map(lambda tail: f"https://a.example/{tail}"))
def test_a_link_cannot_break_out_of_its_markdown(raw: str) -> None:
    link = clean_link(raw)

    assert link is not None
    assert re.fullmatch(r"\[Read\]\(https://a\.example/[!#-';-~*-9:=@]*\)", markdown_link("Read", link))
    assert not re.search(r"[()<>\s\\]", markdown_link("Read", link)[len("[Read](") : -1])


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://a.example/rss/?key=secret#x", "a.example/rss"),
        ("https://user:secret@a.example:8080/rss", "a.example/rss"),
        ("https://[::1", "an address that is none"),
    ],
)
def test_a_short_address_shows_no_secret(address: str, expected: str) -> None:
    assert short_address(address) == expected
