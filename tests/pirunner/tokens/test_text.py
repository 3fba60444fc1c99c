"""The text of a token."""

import pytest

from pirunner.tokens.text import digest_of, hint_of, is_whole, new_text


def test_a_new_text_is_whole_and_never_the_same() -> None:
    texts = {new_text() for _ in range(100)}

    assert len(texts) == 100
    assert all(is_whole(text) and len(text) == 54 and text.startswith("pirt_") for text in texts)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: text + "0",
        lambda text: text[:10] + ("a" if text[10] != "a" else "b") + text[11:],
        lambda text: text[:-1] + ("a" if text[-1] != "a" else "b"),
        lambda text: text.replace("pirt_", "pirx_"),
        lambda text: f" {text}",
        lambda text: text.swapcase(),
        lambda _: "",
    ],
)
def test_a_slip_is_found_without_a_database(spoil: object) -> None:
    assert not is_whole(spoil(new_text()))  # type: ignore[operator]


def test_neither_hint_nor_digest_gives_it_away() -> None:
    text = new_text()

    assert hint_of(text) == f"{text[:9]}…"
    assert len(digest_of(text)) == 64
    assert text[5:] not in digest_of(text)
