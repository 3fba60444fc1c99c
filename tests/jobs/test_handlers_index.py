"""The job types ``index`` and ``search``."""

from pathlib import Path
from typing import Any

import pytest

from jobs import catalog
from jobs.contract import ReadArtifact
from jobs.errors import DoNotRetry, JobCancelled
from jobs.handlers import index, search
from jobs.models import SearchDocument
from tests.jobs.awkward.pdfs import make_pdf, text_page
from tests.jobs.tiny_context import TinyContext

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def context(tmp_path: Path) -> TinyContext:
    """A context that can read three files, of which one is encrypted."""
    found = TinyContext(tmp_path)
    found.readable = {
        "1": ReadArtifact(artifact_id="1", name="a.html", media_type="text/html", content=b"<p>The pier.</p>"),
        "2": ReadArtifact(
            artifact_id="2", name="b.pdf", media_type="application/pdf", content=make_pdf([text_page("The mole.")])
        ),
        "3": ReadArtifact(
            artifact_id="3", name="c.pdf", media_type="application/pdf", content=make_pdf([b""], password="x")
        ),
    }
    return found


def run(kind: Any, context: TinyContext, **fields: Any) -> dict[str, Any]:
    job_input, faults = catalog.validate_input(kind.JOB_TYPE, {"collection": "notes", **fields})
    assert faults == []
    result: dict[str, Any] = kind.run(context, job_input)
    return result


def test_documents_are_found_again(context: TinyContext) -> None:
    documents = [{"title": "Harbour", "text": "The fee rises.", "url": "http://a.example/"}, {"text": "Tea * time"}]

    indexed = run(index, context, documents=documents)
    found = run(search, context, query="fee")

    assert indexed["summary"] == "notes: 2 added, 0 updated, 0 unchanged, 0 removed; 2 documents now"
    (hit,) = found["hits"]
    assert (hit["id"], hit["title"], hit["snippet"], hit["highlights"]) == (
        "http://a.example/",
        "Harbour",
        "The fee rises.",
        [[4, 7]],
    )
    page = Path(found["artifactPath"]).read_text()
    assert page == "# Search: fee\n\n## 1. Harbour\n\nThe **fee** rises.\n\n<http://a.example/>\n"


def test_one_bad_file_does_not_stop_the_others(context: TinyContext) -> None:
    result = run(index, context, artifactIds=["1", "2", "3"])

    assert (result["added"], [failure["artifactId"] for failure in result["failed"]]) == (2, ["3"])
    assert "encrypted" in result["failed"][0]["error"]
    assert [hit["id"] for hit in run(search, context, query="mole")["hits"]] == ["artifact:2"]


def test_when_every_file_is_bad_the_job_fails(context: TinyContext) -> None:
    with pytest.raises(DoNotRetry, match="None of the files could be read"):
        run(index, context, artifactIds=["3"])


def test_the_next_attempt_reads_no_file_again(context: TinyContext) -> None:
    run(index, context, artifactIds=["1", "2"])
    context.readable.clear()

    assert run(index, context, artifactIds=["1", "2"])["added"] == 2


def test_it_stops_between_two_files(context: TinyContext) -> None:
    context.is_cancelled = True

    with pytest.raises(JobCancelled):
        run(index, context, artifactIds=["1"])
    assert SearchDocument.objects.count() == 0


def test_a_collection_is_emptied_before_it_is_filled_and_only_once(context: TinyContext, tmp_path: Path) -> None:
    run(index, context, documents=[{"text": "old one"}, {"text": "old two"}])

    first = run(index, context, removeCollection=True, documents=[{"text": "new one"}])
    again = run(index, context, removeCollection=True, documents=[{"text": "new one"}])

    assert (first["removed"], first["documents"]) == (2, 1)
    assert (again["removed"], again["unchanged"], again["documents"]) == (2, 1, 1)  # the same attempt, resumed
    assert run(index, TinyContext(tmp_path), removeCollection=True)["documents"] == 0


def test_nothing_to_do_is_a_fault() -> None:
    _, faults = catalog.validate_input(index.JOB_TYPE, {"collection": "notes"})

    assert [fault.code for fault in faults] == ["invalid_value"]


def test_a_collection_that_is_not_there_is_told_with_those_that_are(context: TinyContext) -> None:
    run(index, context, documents=[{"text": "one"}])

    with pytest.raises(DoNotRetry, match=r"no collection 'other' of yours\. You have: notes"):
        run(search, context, collection="other", query="one")


def test_no_hit_is_an_answer_too(context: TinyContext) -> None:
    run(index, context, documents=[{"text": "one"}])

    result = run(search, context, query='"(', snippets=False)

    assert (result["summary"], result["hits"]) == ("0 hits for '\"(' in notes", [])
    assert "Nothing in notes." in Path(result["artifactPath"]).read_text()


def test_awkward_text_goes_in_and_out(context: TinyContext) -> None:
    run(index, context, documents=[{"id": "\ud800", "title": "*a* <b>", "text": "x\ud800y \u0000 סוף הקישור"}])

    (hit,) = run(search, context, query="הקישור")["hits"]

    assert hit["id"] == "?"
    assert "<b>" not in Path(context.artifacts[-1].path).read_text()
