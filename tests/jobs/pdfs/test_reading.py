"""Reading PDFs: the ordinary, the encrypted, the truncated, the scanned; and what happens to the process."""

import subprocess
import sys
from contextlib import suppress

import pytest

from jobs.pdfs.reading import PdfFault, read_pdf
from tests.jobs.awkward.pdfs import PICTURE, make_pdf, text_page
from tests.stack import ROOT

SECRET = make_pdf([text_page("the secret text")], title="Geheim", password="sesame")


def test_text_pages_and_facts() -> None:
    pdf = read_pdf(make_pdf([text_page("Hello", "World"), text_page("Second page")], title="Têst"), max_pages=10)

    assert (pdf.pages, pdf.texts, pdf.words) == (2, ("Hello\nWorld", "Second page"), 4)
    assert pdf.facts == {"title": "Têst", "created": "2025-03-04T10:15:00Z"}
    assert (pdf.encrypted, pdf.scanned, pdf.repaired) == (False, False, False)


def test_only_so_many_pages_are_read_and_all_are_counted() -> None:
    pdf = read_pdf(make_pdf([text_page(f"Page {n}") for n in range(5)]), max_pages=2)

    assert (pdf.pages, pdf.texts) == (5, ("Page 0", "Page 1"))


def test_pictures_without_text_look_scanned() -> None:
    pdf = read_pdf(make_pdf([PICTURE, PICTURE]), max_pages=10)

    assert (pdf.scanned, pdf.pages_without_text) == (True, 2)


def test_blank_pages_do_not() -> None:
    assert not read_pdf(make_pdf([b""]), max_pages=10).scanned


def test_a_password_opens_what_is_encrypted() -> None:
    pdf = read_pdf(SECRET, passwords=["wrong", "sesame"], max_pages=10)

    assert (pdf.texts, pdf.encrypted, pdf.facts["title"]) == (("the secret text",), True, "Geheim")


@pytest.mark.parametrize(
    ("content", "passwords", "code", "reason"),
    [
        (SECRET, [], "encrypted", "send its password"),
        (SECRET, ["wrong"], "encrypted", "none of the passwords"),
        (make_pdf([text_page("x" * 60)] * 9)[:700], [], "damaged", "cut off"),
        (b"%PDF-1.7\n" + b"\xff" * 500, [], "damaged", "damaged"),
        (b"<html>", [], "not_a_pdf", "not a PDF"),
        (b"", [], "not_a_pdf", "not a PDF"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, passwords: list[str], code: str, reason: str) -> None:
    with pytest.raises(PdfFault, match=reason) as fault:
        read_pdf(content, passwords=passwords, max_pages=10)

    assert fault.value.code == code


def test_every_cut_is_read_or_refused() -> None:
    whole = make_pdf([text_page("Hello")])
    for end in range(0, len(whole), 37):
        with suppress(PdfFault):
            assert read_pdf(whole[:end], max_pages=1).pages <= 1


def test_a_file_that_unpacks_to_gigabytes_ends_its_own_process_and_not_the_machine() -> None:
    reads = (
        "import resource, sys; from jobs.pdfs.reading import read_pdf; from tests.jobs.awkward.pdfs import make_pdf;"
        "bomb = make_pdf([b' ' * 300_000_000]); read_pdf(bomb, max_pages=1)"
    )

    ended = subprocess.run([sys.executable, "-c", reads], cwd=ROOT, capture_output=True, timeout=60, check=False)

    assert ended.returncode < 0, ended.stderr
