"""The job type ``pdf-batch``: good files, bad files, and files that end the process which reads them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import DoNotRetry, JobCancelled
from jobs.handlers import pdf_batch
from jobs.handlers.pdf_batch import JOB_TYPE
from jobs.pdfs.reading import read_pdf
from tests.jobs.awkward.pdfs import PICTURE, make_pdf, text_page
from tests.jobs.awkward.server import AwkwardServer, awkward_server
from tests.jobs.handling import HandlerContext, faults_of, run


class Crash(BaseException):
    """Stands for the end of the process: nothing of the attempt goes on after it."""


@pytest.fixture
def server() -> Iterator[AwkwardServer]:
    with awkward_server() as running:
        running.serve("/good.pdf", make_pdf([text_page("Hello", "World")], title="Annual report"), "application/pdf")
        running.serve("/two.pdf", make_pdf([text_page("one"), b""]), "application/pdf")
        yield running


@pytest.fixture
def context(tmp_path: Path) -> HandlerContext:
    return HandlerContext(tmp_path)


def codes(result: dict[str, Any]) -> list[str]:
    return [file["error"]["code"] if "error" in file else "ok" for file in result["files"]]


def test_one_bad_file_does_not_fail_the_batch(server: AwkwardServer, context: HandlerContext) -> None:
    context.add_file("7", "scan.pdf", make_pdf([PICTURE]), "application/pdf")
    urls = [
        server.url("/good.pdf"),
        server.serve("/secret.pdf", make_pdf([text_page("x")], password="p"), "application/pdf"),
        server.serve("/cut.pdf", make_pdf([text_page("x")])[:400], "application/pdf"),
        server.serve("/page.pdf", "<html><body>login"),
        server.url("/nothing.pdf"),
    ]

    result = run(JOB_TYPE, context, urls=urls, artifactIds=["7", "8"])

    assert codes(result) == ["ok", "encrypted", "damaged", "not_a_pdf", "not_found", "ok", "artifact_missing"]
    assert result["summary"] == "Read 2 PDFs with 2 pages; 5 could not be read"
    assert result["files"][5]["scanned"] is True
    assert [artifact.name for artifact in context.artifacts] == ["001-good.txt", "report.md", "report.json"]
    assert context.text_of("001-good.txt") == "Hello\nWorld\n"
    assert context.text_of("report.md").startswith(
        "# PDF report\n\n2 of 7 files read · 2 pages · 2 words\n\n## Annual report\n\n"
        "good.pdf · 2025-03-04 · 1 page · 2 words\n\nHello World\n\n## scan.pdf\n\n"
    )
    assert json.loads(context.text_of("report.json"))[0]["metadata"]["title"] == "Annual report"


def test_passwords_open_and_pages_are_limited(server: AwkwardServer, context: HandlerContext) -> None:
    url = server.serve("/s.pdf", make_pdf([text_page("a b"), text_page("c")], password="p"), "application/pdf")

    (file,) = run(JOB_TYPE, context, urls=[url], passwords=["x", "p"], maxPages=1)["files"]

    assert (file["pages"], file["pagesRead"], file["words"], file["encrypted"]) == (2, 1, 2, True)
    assert file["notes"] == ["Only the first 1 page were read.", "It is encrypted."]


def test_many_texts_are_joined(server: AwkwardServer, context: HandlerContext) -> None:
    result = run(JOB_TYPE, context, urls=[server.url("/good.pdf"), server.url("/two.pdf")], texts="joined")

    assert {file["textFile"] for file in result["files"]} == {"texts.txt"}
    assert "good.pdf\n" in context.text_of("texts.txt")


def test_a_file_that_ends_the_process_is_skipped_when_it_has_done_so_twice(
    server: AwkwardServer, context: HandlerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = read_pdf
    reads: list[bytes] = []

    def crashing(content: bytes, **more: Any) -> Any:
        reads.append(content)
        if b"hostile" in content:
            raise Crash
        return read(content, **more)

    monkeypatch.setattr(pdf_batch, "read_pdf", crashing)
    hostile = server.serve("/hostile.pdf", b"%PDF-1.7 hostile", "application/pdf")
    batch = {"urls": [server.url("/good.pdf"), hostile, server.url("/two.pdf")]}

    for _ in range(2):
        with pytest.raises(Crash):
            run(JOB_TYPE, context, **batch)
        context.next_attempt()
    result = run(JOB_TYPE, context, **batch)

    assert codes(result) == ["ok", "crashed_reader", "ok"]
    assert "ended its worker 2 times" in result["files"][1]["error"]["message"]
    # Each good file was read once; after the first crash the rest came before the suspect.
    assert [b"hostile" in content for content in reads] == [False, True, False, True]
    assert server.asked_for("/good.pdf") == 1
    assert context.text_of("001-good.txt") == "Hello\nWorld\n"


def test_a_cancel_is_heard_between_files(server: AwkwardServer, context: HandlerContext) -> None:
    context.cancel_when = lambda: True

    with pytest.raises(JobCancelled):
        run(JOB_TYPE, context, urls=[server.url("/good.pdf"), server.url("/two.pdf")])
    assert server.asked_for("/two.pdf") == 0


def test_all_bad_fails_for_good(server: AwkwardServer, context: HandlerContext) -> None:
    with pytest.raises(DoNotRetry, match=r"None of the 2 files could be read\. a\.pdf: "):
        run(JOB_TYPE, context, urls=[server.url("/a.pdf"), server.url("/b.pdf")])


def test_an_input_without_a_file_is_refused() -> None:
    assert faults_of(JOB_TYPE) == [(("urls",), "required")]
    many = [f"https://x.example/{n}" for n in range(150)]
    assert faults_of(JOB_TYPE, urls=many, artifactIds=[str(n + 1) for n in range(51)]) == [
        (("artifactIds",), "too_big")
    ]
