"""What characters bytes stand for, whatever is claimed about them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.charsets import decode_page, decode_text

PAGE = "<p>Größe: 5 €, «шаг»</p>"
META = '<html><head><meta charset="{0}"></head>'


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Größe".encode(), "text/html", "Größe"),
        ("Größe".encode(), "text/html; charset=iso-8859-1", "Größe"),  # valid UTF-8 is UTF-8
        (b"\xef\xbb\xbfhi", "text/html; charset=utf-16", "hi"),
        ("hi ö".encode("utf-16"), "text/html", "hi ö"),
        ("Größe 5 €".encode("cp1252"), "text/html; charset=ISO-8859-1", "Größe 5 €"),  # as browsers read it
        ("Größe".encode("cp1252"), "text/html; charset=utf-8x", "Größe"),
        ("Größe".encode("cp1252"), "text/html; charset=punycode", "Größe"),
        ("шаг вперёд и два назад".encode("koi8-r"), "text/html; charset=koi8-r", "шаг вперёд и два назад"),
        ("日本語".encode("shift_jis"), "text/html; charset=Shift_JIS", "日本語"),
        ("日本語".encode("iso2022_jp"), "text/html; charset=iso-2022-jp", "日本語"),
        (b"", "", ""),
    ],
)
def test_the_header_is_believed_as_far_as_it_can_be(body: bytes, content_type: str, text: str) -> None:
    assert decode_page(body, content_type) == text


def test_the_page_itself_is_believed_before_the_header() -> None:
    body = (META.format("windows-1251") + "<p>шаг</p>").encode("cp1251")

    assert "шаг" in decode_page(body, "text/html; charset=koi8-r")


def test_a_page_that_says_utf8_and_is_nearly_is_not_thrown_over_for_one_byte() -> None:
    body = (META.format("utf-8") + "<p>Größe</p>" * 200).encode() + b"\xff"

    assert decode_page(body, "text/html").count("Größe") == 200


def test_a_page_that_says_utf8_and_is_something_else_is_read_as_something_else() -> None:
    body = (META.format("utf-8") + "<p>Größe</p>" * 20).encode("cp1252")

    assert decode_page(body, "text/html; charset=utf-8").count("Größe") == 20


def test_without_a_declaration_it_is_guessed() -> None:
    text = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 5

    assert decode_text(text.encode("cp1251")) == text


@given(st.binary(max_size=300), st.text(max_size=40))
def test_it_never_fails(body: bytes, content_type: str) -> None:
    assert isinstance(decode_page(body, content_type), str)
    assert isinstance(decode_text(body, content_type), str)
