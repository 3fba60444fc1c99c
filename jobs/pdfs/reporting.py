"""The report about a batch of PDFs, as Markdown for people and as values for programs. No Django."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobs.outcomes import Failure
from jobs.plain_text import clean_text, markdown_text
from pirunner.wording import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """What came of one file: ``facts`` about it and its text, or a failure."""

    key: str
    name: str
    facts: dict[str, Any] | None = None
    text: str = ""
    failure: Failure | None = None


def describe(outcome: FileOutcome, file: str | None) -> dict[str, Any]:
    """Return an outcome as it stands in the result and in the report; ``file`` is the artifact with its text."""
    kind, _, place = outcome.key.partition(" ")
    head = {"url" if kind == "url" else "artifactId": place, "name": outcome.name, "ok": outcome.failure is None}
    if outcome.failure:
        return {**head, "error": outcome.failure.document()}
    return {**head, **(outcome.facts or {}), "textFile": file}


def render_report(documents: Sequence[dict[str, Any]]) -> str:
    """Return the report as Markdown for a narrow screen."""
    read = [each for each in documents if each["ok"]]
    failed = [each for each in documents if not each["ok"]]
    pages = counted(sum(each["pages"] for each in read), "page")
    words = counted(sum(each["words"] for each in read), "word")
    blocks = ["# PDF report", f"{len(read)} of {counted(len(documents), 'file')} read · {pages} · {words}"]
    blocks += [_render_file(each) for each in read]
    if failed:
        lines = [f"- **{markdown_text(each['name'])}**: {markdown_text(each['error']['message'])}" for each in failed]
        blocks.append("## Could not be read\n\n" + "\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _render_file(document: dict[str, Any]) -> str:
    known = document["metadata"]
    title = known.get("title") or document["name"]
    facts = [document["name"] if known.get("title") else "", known.get("author", ""), known.get("created", "")[:10]]
    facts += [counted(document["pages"], "page"), counted(document["words"], "word")]
    lines = [f"## {markdown_text(title)}", markdown_text(" · ".join(filter(None, facts)))]
    lines += [f"*{markdown_text(note)}*" for note in document["notes"]]
    if document["beginning"]:
        lines.append(markdown_text(document["beginning"]))
    return "\n\n".join(lines)


def notes_on(pages: int, read: int, without_text: int, *, scanned: bool, encrypted: bool, repaired: bool) -> list[str]:
    """Return what a reader should know about a file besides its numbers."""
    notes = []
    if scanned:
        notes.append("Looks scanned: it has pictures and no text layer. Text recognition (OCR) is not done here.")
    elif without_text == read:
        notes.append("There is no text on its pages.")
    elif without_text:
        notes.append(f"{counted(without_text, 'page')} of those read {'has' if without_text == 1 else 'have'} no text.")
    if read < pages:
        notes.append(f"Only the first {counted(read, 'page')} were read.")
    if encrypted:
        notes.append("It is encrypted.")
    if repaired:
        notes.append("Its end is missing; it may be cut off.")
    return notes


def beginning_of(text: str) -> str:
    """Return the first words of a text as one line."""
    return clean_text(text[:800], 300)
