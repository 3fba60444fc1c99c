"""``index``: puts documents and files into a collection that ``search`` finds them in."""

import hashlib
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobs.artifact_fields import artifact_of
from jobs.contract import Context, JobType
from jobs.errors import DoNotRetry, JobCancelled
from jobs.file_text import READABLE, text_of
from jobs.plain_text import clean_text
from jobs.search_index.collections import (
    LONGEST_TEXT,
    Document,
    Tally,
    count_documents,
    find_collection,
    remove_collection,
    remove_documents,
    write_documents,
)
from pirunner.errors import Fault

BATCH = 50
CollectionName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="The collection: letters, digits, dot, underscore, hyphen. Each token has its own.",
        examples=["notes"],
    ),
]
DocumentId = Annotated[str, Meta(min_length=1, max_length=2048, pattern=r"^[^\x00]*$")]


class DocumentInput(msgspec.Struct, frozen=True, rename="camel"):
    """One document: a title, a text, and where it is from."""

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT, description="What is searched.")]
    title: Annotated[str, Meta(max_length=500, description="Counts more than the text, and is shown.")] = ""
    id: (
        Annotated[
            DocumentId,
            Meta(description="Sent again under the same id, it replaces the old one. Default: the url, else a hash."),
        ]
        | None
    ) = None
    url: Annotated[str, Meta(max_length=2048, pattern=r"^(https?://\S+)?$", description="Shown with a hit.")] = ""


class IndexInput(msgspec.Struct, frozen=True, rename="camel"):
    """What to put into a collection, and what to take out of it; taking out comes first."""

    collection: CollectionName
    documents: Annotated[list[DocumentInput], Meta(max_length=1000, description="Up to 1,000 at a time.")] = []
    artifact_ids: Annotated[
        list[Annotated[str, artifact_of(*READABLE)]],
        Meta(max_length=200, description="Files of earlier jobs: text, Markdown, HTML, PDF. Up to 200 at a time."),
    ] = []
    remove: Annotated[list[DocumentId], Meta(max_length=1000, description="Ids of documents to take out.")] = []
    remove_collection: Annotated[bool, Meta(description="Take out everything first.")] = False


def check(job_input: IndexInput) -> list[Fault]:
    """Refuse what would do nothing."""
    if job_input.documents or job_input.artifact_ids or job_input.remove or job_input.remove_collection:
        return []
    return [Fault((), "invalid_value", "Send at least one of documents, artifactIds, remove and removeCollection.")]


def run(ctx: Context, job_input: IndexInput) -> dict[str, Any]:
    """Take out, put in, and count; a file that cannot be read does not stop the others."""
    removed = _remove(ctx, job_input)
    tally = _index_documents(ctx, job_input)
    of_files, failures = _index_files(ctx, job_input)
    tally += of_files
    tried = len(job_input.documents) + len(job_input.artifact_ids)
    if failures and len(failures) == tried:
        raise DoNotRetry("None of the files could be read. " + " ".join(failure["error"] for failure in failures[:5]))
    home = find_collection(ctx.owner, job_input.collection)
    total = count_documents(home) if home else 0
    done = f"{tally.added} added, {tally.updated} updated, {tally.unchanged} unchanged, {removed} removed"
    failed = f", {len(failures)} failed" if failures else ""
    return {
        "summary": f"{job_input.collection}: {done}{failed}; {total} documents now",
        "collection": job_input.collection,
        **asdict(tally),
        "removed": removed,
        "failed": failures,
        "documents": total,
    }


def _remove(ctx: Context, job_input: IndexInput) -> int:
    """Take out what is to go, once: an attempt that comes after must not take out what the first one put in."""
    done = ctx.checkpoints().get("removed")
    if done is not None:
        return int(done)
    removed = 0
    if job_input.remove_collection:
        removed += remove_collection(ctx.owner, job_input.collection)
    if job_input.remove:
        removed += remove_documents(ctx.owner, job_input.collection, job_input.remove)
    if removed:
        ctx.checkpoint("removed", removed)
    return removed


def _index_documents(ctx: Context, job_input: IndexInput) -> Tally:
    documents = [_document(each) for each in job_input.documents]
    tally = Tally()
    for start in range(0, len(documents), BATCH):
        if ctx.cancelled():
            raise JobCancelled
        tally += write_documents(ctx.owner, job_input.collection, documents[start : start + BATCH])
        ctx.progress(50 * (start + BATCH) / len(documents), f"{start + BATCH} of {len(documents)} documents")
    return tally


def _index_files(ctx: Context, job_input: IndexInput) -> tuple[Tally, list[dict[str, str]]]:
    tally, failures = Tally(), []
    done = ctx.checkpoints()
    for number, wanted in enumerate(dict.fromkeys(job_input.artifact_ids)):
        if ctx.cancelled():
            raise JobCancelled
        ctx.progress(50 + 50 * number / len(job_input.artifact_ids), f"{number} of {len(job_input.artifact_ids)} files")
        key = f"artifact {wanted}"
        if key in done:
            tally += Tally(**done[key])
            continue
        try:
            found = _index_file(ctx, job_input.collection, wanted)
        except DoNotRetry as error:
            ctx.log(str(error), "warning")
            failures.append({"artifactId": wanted, "error": str(error)})
        else:
            tally += found
            ctx.checkpoint(key, asdict(found))
    return tally, failures


def _index_file(ctx: Context, collection: str, wanted: str) -> Tally:
    artifact = ctx.read_artifact(wanted)
    text = text_of(ctx, artifact)
    if len(text) > LONGEST_TEXT:
        ctx.log(f"{artifact.name} is long: its first {LONGEST_TEXT} characters are searched.", "warning")
    document = Document(
        doc_id=f"artifact:{wanted}",
        title=clean_text(artifact.name, 500),
        text=text[:LONGEST_TEXT],
        url=f"/artifacts/{wanted}",
    )
    return write_documents(ctx.owner, collection, [document])


def _document(given: DocumentInput) -> Document:
    text = given.text.replace("\x00", "").encode("utf-8", "replace").decode()
    title = clean_text(given.title, 500)
    content = f"{title}\x00{text}".encode()
    doc_id = given.id or given.url or f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Document(doc_id=doc_id.encode("utf-8", "replace").decode(), title=title, text=text, url=given.url)


JOB_TYPE = JobType(
    name="index",
    description="Puts documents and files (text, Markdown, HTML, PDF) into a collection for full-text search.",
    input_model=IndexInput,
    run=run,
    check=check,
    time_limit=900,
    long=True,
)
