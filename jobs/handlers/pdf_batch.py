"""``pdf-batch``: text, page count and metadata of many PDFs, with one report about all of them."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta

from jobs.artifact_fields import ArtifactId
from jobs.contract import Context, JobType
from jobs.errors import DoNotRetry, JobCancelled, RunLost
from jobs.outcomes import Failure, insist_on_one
from jobs.packing import checkpointed_text, remember_text
from jobs.pages.fetching import Kind, PageFault, fetch_page
from jobs.pdfs.reading import Pdf, PdfFault, read_pdf
from jobs.pdfs.reporting import FileOutcome, beginning_of, describe, notes_on, render_report
from jobs.plain_text import clean_text
from pirunner.errors import Fault
from pirunner.wording import counted

_MOST_BYTES = 20 * 1024 * 1024
_FETCH_SECONDS = 120.0
_MOST_FILES = 20
"""Up to so many files have a text artifact each; the texts of more are in one."""
_MOST_TEXT = 8 * 1024 * 1024
"""Characters of all texts together, which are in memory at the end."""
_STRIKES = 2
"""A file that was being read when its worker died so often is to blame; once, it may have been the power."""

Address = Annotated[str, Meta(max_length=2048, pattern="^https?://", examples=["https://example.com/report.pdf"])]
Password = Annotated[str, Meta(min_length=1, max_length=200)]


class PdfBatchInput(msgspec.Struct, frozen=True, rename="camel"):
    """Which files to read, and how much of them."""

    urls: Annotated[
        tuple[Address, ...], Meta(max_length=200, description="Addresses of PDFs, 20 MiB each at most.")
    ] = ()
    artifact_ids: Annotated[
        tuple[ArtifactId, ...], Meta(max_length=200, description="PDFs that earlier jobs wrote.")
    ] = ()
    passwords: Annotated[
        tuple[Password, ...],
        Meta(
            max_length=10, description="Tried on encrypted files. They are kept with the job's input, readable there."
        ),
    ] = ()
    max_pages: Annotated[
        int, Meta(ge=1, le=5000, description="Pages that are read of each file; all are counted.", examples=[50])
    ] = 500
    texts: Annotated[
        Literal["auto", "each", "joined", "none"],
        Meta(description="A text file for each PDF, or one for all. auto: for each if they are 20 or fewer."),
    ] = "auto"

    @property
    def keys(self) -> list[str]:
        """What names each file, ``url <address>`` or ``artifact <id>``, each once."""
        return list(
            dict.fromkeys([*(f"url {url}" for url in self.urls), *(f"artifact {i}" for i in self.artifact_ids)])
        )


def check(job_input: PdfBatchInput) -> list[Fault]:
    """Return what the schema cannot say: there must be a file to read, and not too many together."""
    if not job_input.keys:
        return [Fault(("urls",), "required", "Send urls or artifactIds, with at least one file.")]
    if len(job_input.keys) > 200:
        return [Fault(("artifactIds",), "too_big", "Send at most 200 files in urls and artifactIds together.")]
    return []


def run(ctx: Context, job_input: PdfBatchInput) -> dict[str, Any]:
    """Read the files and report on them. Raises ``JobFailed`` or ``DoNotRetry`` when none could be read."""
    outcomes = _read_all(ctx, job_input)
    failures = [(each.name, each.failure) for each in outcomes if each.failure]
    insist_on_one(failures, len(outcomes), "file")
    files = _write_texts(ctx, outcomes, job_input.texts)
    documents = [describe(each, files.get(each.key)) for each in outcomes]
    report = ctx.artifact("report.md", render_report(documents))
    ctx.artifact("report.json", json.dumps(documents, ensure_ascii=False, indent=1), "application/json")
    read = [each for each in documents if each["ok"]]
    done = f"Read {counted(len(read), 'PDF')} with {counted(sum(each['pages'] for each in read), 'page')}"
    return {
        "summary": done + (f"; {len(failures)} could not be read" if failures else ""),
        "fileCount": len(read),
        "failedCount": len(failures),
        "pageCount": sum(each["pages"] for each in read),
        "files": [{name: value for name, value in each.items() if name != "beginning"} for each in documents],
        "artifactPath": report.path,
    }


def _read_all(ctx: Context, job_input: PdfBatchInput) -> list[FileOutcome]:
    """Read what no earlier attempt has read; what an earlier one may have died of comes last."""
    checkpoints = ctx.checkpoints()
    outcomes = {outcome.key: outcome for outcome in _done_before(checkpoints, job_input.keys)}
    if outcomes:
        ctx.log(f"{counted(len(outcomes), 'file')} done by an earlier attempt.")
    size = sum(len(outcome.text) for outcome in outcomes.values())
    waiting = [key for key in job_input.keys if key not in outcomes]
    for key in sorted(waiting, key=lambda each: _strikes(checkpoints, each)):
        outcome = _within_limit(_read(ctx, job_input, key, _strikes(checkpoints, key)), size)
        outcomes[key] = outcome
        size += len(outcome.text)
        _remember(ctx, outcome)
        _tell(ctx, outcome, len(outcomes), len(job_input.keys))
        if ctx.cancelled():
            raise JobCancelled
    return [outcomes[key] for key in job_input.keys]


def _read(ctx: Context, job_input: PdfBatchInput, key: str, strikes: int) -> FileOutcome:
    name = _name_of(key)
    if strikes >= _STRIKES:
        sentence = (
            f"Reading it ended its worker {strikes} times (it is hostile, or needs too much memory); it is skipped."
        )
        return FileOutcome(key=key, name=name, failure=Failure("crashed_reader", sentence))
    try:
        content, name = _content_of(ctx, key)
        # The reader is C++ and may take this process with it: the next attempt must know what was being read.
        ctx.checkpoint(key, {"strikes": strikes + 1})
        pdf = read_pdf(content, passwords=job_input.passwords, max_pages=job_input.max_pages)
    except PageFault as fault:
        failure = Failure(fault.code, str(fault), not fault.permanent, fault.retry_after)
        return FileOutcome(key=key, name=name, failure=failure)
    except PdfFault as fault:
        return FileOutcome(key=key, name=name, failure=Failure(fault.code, str(fault)))
    text = "\f".join(pdf.texts)
    return FileOutcome(key=key, name=name, facts=_facts_of(pdf, content, text), text=text)


def _content_of(ctx: Context, key: str) -> tuple[bytes, str]:
    """Return the bytes of a file and its name; raises ``PageFault``."""
    kind, _, place = key.partition(" ")
    if kind == "artifact":
        try:
            artifact = ctx.read_artifact(place, _MOST_BYTES)
        except RunLost:
            raise
        except DoNotRetry as error:
            raise PageFault("artifact_missing", str(error), permanent=True) from None
        return artifact.content, artifact.name
    page = fetch_page(ctx.http.limited(max_bytes=_MOST_BYTES, total_timeout=_FETCH_SECONDS), place)
    if page.kind is Kind.HTML:
        raise PageFault(
            "not_a_pdf", "The address leads to a page, not to a PDF: use the job type scrape.", permanent=True
        )
    return page.body, _name_of(key)


def _facts_of(pdf: Pdf, content: bytes, text: str) -> dict[str, Any]:
    read = len(pdf.texts)
    return {
        "pages": pdf.pages,
        "pagesRead": read,
        "pagesWithoutText": pdf.pages_without_text,
        "words": pdf.words,
        "characters": len(text),
        "bytes": len(content),
        "metadata": pdf.facts,
        "encrypted": pdf.encrypted,
        "scanned": pdf.scanned,
        "notes": notes_on(
            pdf.pages,
            read,
            pdf.pages_without_text,
            scanned=pdf.scanned,
            encrypted=pdf.encrypted,
            repaired=pdf.repaired,
        ),
        "beginning": beginning_of(text),
    }


def _within_limit(outcome: FileOutcome, size: int) -> FileOutcome:
    """Return the outcome, or a failure for a file whose text is too much together with those before it."""
    if size + len(outcome.text) <= _MOST_TEXT:
        return outcome
    too_much = Failure("too_much", "The files before it fill what one job may hold; send it in another job.")
    return FileOutcome(key=outcome.key, name=outcome.name, failure=too_much)


def _remember(ctx: Context, outcome: FileOutcome) -> None:
    """Note what is done for good; what may go better next time is tried again."""
    if outcome.failure is None:
        pieces = remember_text(ctx.checkpoint, outcome.key, outcome.text)
        ctx.checkpoint(outcome.key, {"name": outcome.name, "facts": outcome.facts, "pieces": pieces})
    elif not outcome.failure.retryable:
        failure = [outcome.failure.code, outcome.failure.message]
        ctx.checkpoint(outcome.key, {"name": outcome.name, "failure": failure})


def _done_before(checkpoints: Mapping[str, Any], keys: Sequence[str]) -> list[FileOutcome]:
    outcomes = []
    for key in keys:
        known = checkpoints.get(key) or {}
        if "failure" in known:
            outcomes.append(FileOutcome(key=key, name=known["name"], failure=Failure(*known["failure"])))
        elif "facts" in known:
            text = checkpointed_text(checkpoints, key, known["pieces"])
            if text is not None:
                outcomes.append(FileOutcome(key=key, name=known["name"], facts=known["facts"], text=text))
    return outcomes


def _strikes(checkpoints: Mapping[str, Any], key: str) -> int:
    """Return how often a file was being read when its attempt came to a sudden end."""
    return int((checkpoints.get(key) or {}).get("strikes", 0))


def _tell(ctx: Context, outcome: FileOutcome, done: int, total: int) -> None:
    ctx.progress(95 * done / total, f"{done} of {total} files")
    if outcome.failure:
        ctx.log(f"{outcome.name}: {outcome.failure.message}", "warning")
    elif outcome.facts:
        ctx.log(f"{outcome.name}: {counted(outcome.facts['pages'], 'page')}, {counted(outcome.facts['words'], 'word')}")


def _write_texts(ctx: Context, outcomes: Sequence[FileOutcome], how: str) -> dict[str, str]:
    """Write the texts, and return in which file that of each PDF is."""
    with_text = [outcome for outcome in outcomes if outcome.text.strip()]
    if how == "none" or not with_text:
        return {}
    if how == "each" or (how == "auto" and len(with_text) <= _MOST_FILES):
        stored = {
            outcome.key: ctx.artifact(f"{number:03}-{_stem(outcome.name)}.txt", outcome.text + "\n", "text/plain")
            for number, outcome in enumerate(with_text, 1)
        }
        return {key: artifact.name for key, artifact in stored.items()}
    joined = "\n\n".join(f"{'=' * 40}\n{outcome.name}\n{'=' * 40}\n\n{outcome.text}" for outcome in with_text)
    file = ctx.artifact("texts.txt", joined + "\n", "text/plain")
    return {outcome.key: file.name for outcome in with_text}


def _name_of(key: str) -> str:
    kind, _, place = key.partition(" ")
    if kind == "artifact":
        return f"artifact {place}"
    parts = urlsplit(place)
    return clean_text(unquote(parts.path.rstrip("/").rpartition("/")[2]), 120) or parts.hostname or place


def _stem(name: str) -> str:
    return name.removesuffix(".pdf").removesuffix(".PDF")[:80] or "file"


JOB_TYPE = JobType(
    name="pdf-batch",
    description="Reads many PDFs: text, page count and metadata of each, and one report about all of them.",
    input_model=PdfBatchInput,
    check=check,
    run=run,
    attempts=8,
    time_limit=3600,
    long=True,
)
