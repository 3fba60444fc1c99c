"""The job type ``summarize``."""

import json
from pathlib import Path
from typing import Any

import pytest

from jobs import catalog
from jobs.contract import ReadArtifact
from jobs.errors import DoNotRetry
from jobs.file_text import UnreadableFile
from jobs.handlers import summarize
from jobs.language_model import ModelRefused
from jobs.summaries.by_model import PART, parts_of
from tests.jobs.awkward.pdfs import PICTURE, make_pdf, text_page
from tests.jobs.test_language_model import Configure, answer, model, owner, rings, said, serve
from tests.jobs.tiny_context import TinyContext

__all__ = ["model", "owner", "rings", "serve"]
TEXT = (
    "The harbour will close in March. The mayor likes tea. Closing the harbour costs millions. "
    "Ferries leave the harbour for the old pier."
)


@pytest.fixture
def context(tmp_path: Path, owner: Any) -> TinyContext:
    """A context without a model."""
    owner.LLM_BASE_URL = ""
    return TinyContext(tmp_path)


def run(context: TinyContext, **fields: Any) -> dict[str, Any]:
    job_input, faults = catalog.validate_input(summarize.JOB_TYPE, fields)
    assert faults == []
    return summarize.run(context, job_input)


def file(context: TinyContext, content: bytes, media_type: str = "text/plain", name: str = "file") -> str:
    context.readable["7"] = ReadArtifact(artifact_id="7", name=name, media_type=media_type, content=content)
    return "7"


@pytest.mark.parametrize("value", [{}, {"text": "a", "url": "http://a.example/"}])
def test_exactly_one_source_is_wanted(value: dict[str, Any]) -> None:
    _, faults = catalog.validate_input(summarize.JOB_TYPE, value)

    assert [fault.message for fault in faults] == ["Send exactly one of text, url and artifactId."]


def test_a_text_without_a_model(context: TinyContext) -> None:
    result = run(context, text=TEXT, sentences=2)

    assert (result["engine"], result["language"], len(result["sentences"])) == ("extractive", "en", 2)
    assert result["summary"] == " ".join(result["sentences"])
    page = Path(result["artifactPath"]).read_text()
    assert page.startswith("# Summary\n\n- The harbour will close in March.\n")
    assert page.endswith("*Summary of the text that was sent: sentences of the original.*\n")


def test_a_page_is_reduced_to_its_content(context: TinyContext, serve: Any) -> None:
    paragraphs = "".join(f"<p>{TEXT}</p>" for _ in range(3))
    html = f"<title>Harbour news</title><nav>Home Sport</nav><article><h1>Harbour</h1>{paragraphs}</article>"
    server = serve(answer(200, html.encode(), "Content-Type: text/html; charset=utf-8"))

    result = run(context, url=server.url, sentences=3)

    assert result["title"] in {"Harbour news", "Harbour"}
    assert "The harbour will close in March." in result["sentences"]
    assert "Home Sport" not in result["summary"]


def test_a_page_that_is_gone_is_no_reason_to_try_again(context: TinyContext, serve: Any) -> None:
    with pytest.raises(DoNotRetry, match="404"):
        run(context, url=serve(answer(404, b"")).url)


@pytest.mark.parametrize(
    ("content", "media_type", "sentence"),
    [
        ("Grüße aus Köln. Die Straße ist naß.".encode("cp1252"), "text/plain", "Grüße aus Köln."),
        ("これは文です。次の文です。".encode("shift_jis"), "text/plain; charset=shift_jis", "これは文です。"),
        ("\ufeffOne. Two.".encode("utf-16"), "text/plain", "One."),
        ("<p dir=rtl>هذا نص.</p><p>وهذا آخر.</p><script>x()</script>".encode(), "text/html", "هذا نص."),
        (b"\xff\xfe\x00\x01broken. Still text.", "text/plain", None),
        (make_pdf([text_page("Harbour closes. Tea is served.")]), "application/pdf", "Harbour closes."),
    ],
)
def test_files_in_every_encoding(context: TinyContext, content: bytes, media_type: str, sentence: str | None) -> None:
    result = run(context, artifactId=file(context, content, media_type), sentences=20)

    assert result["sentences"]
    assert sentence is None or result["sentences"][0] == sentence


@pytest.mark.parametrize(
    ("content", "media_type", "reason"),
    [
        (make_pdf([text_page("Secret.")], password="s3cret"), "application/pdf", "is encrypted"),
        (b"%PDF-1.7\n garbage", "application/pdf", "damaged or cut short"),
        (make_pdf([PICTURE]), "application/pdf", "holds no text"),
        (b"\x89PNG\r\n\x1a\n123", "image/png", "no text that can be read"),
        (b" \n ", "text/plain", "holds no text"),
        (b"<div>" * 5000 + b"deep", "text/html", "deeper than a page"),
    ],
)
def test_files_that_cannot_be_read_say_why(context: TinyContext, content: bytes, media_type: str, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        run(context, artifactId=file(context, content, media_type))


def test_the_model_writes_when_there_is_one(context: TinyContext, model: Configure) -> None:
    model(answer(200, said("The harbour closes. It costs a lot. A third.")))

    result = run(context, text=TEXT, sentences=2, language="de")

    assert (result["engine"], result["language"]) == ("llm", "de")
    assert result["sentences"] == ["The harbour closes.", "It costs a lot."]


def test_auto_does_without_a_model_that_fails_and_says_so(context: TinyContext, model: Configure) -> None:
    model(answer(401, {}))

    result = run(context, text=TEXT, sentences=1)

    assert (result["engine"], "Check LLM_API_KEY" in result["fallback"]) == ("extractive", True)
    with pytest.raises(ModelRefused):
        run(context, text=TEXT, engine="llm")


def test_a_long_text_is_read_in_parts_and_not_twice(context: TinyContext, model: Configure) -> None:
    server = model(answer(200, said("A part.")))
    paragraphs = "\n\n".join(f"Paragraph {number}. {TEXT}" for number in range(200))
    parts = parts_of(paragraphs)
    context.checkpoint(f"part 1 of {len(parts)}", "Done before.")

    run(context, text=paragraphs, engine="llm")

    assert all(len(part) <= PART for part in parts)
    asked = [json.loads(request.partition(b"\r\n\r\n")[2])["messages"][1]["content"] for request in server.requests]
    assert len(asked) == len(parts)  # all but the first, and the summary of all
    assert asked[-1].startswith("Done before.")


def test_huge_text_takes_no_time(context: TinyContext) -> None:
    result = run(context, text=(TEXT + " ") * 6500, sentences=3)

    assert len(result["sentences"]) == 3


def test_text_is_shown_as_it_is_in_markdown(context: TinyContext) -> None:
    page = Path(run(context, text="A <script>alert(1)</script> [link](http://x). B.")["artifactPath"]).read_text()

    assert "<script>" not in page
    assert "\\[link\\]" in page
