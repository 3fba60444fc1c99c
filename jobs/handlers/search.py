"""``search``: finds the documents of a collection that fit a few words best, and shows where they do."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobs.contract import Context, JobType
from jobs.errors import DoNotRetry
from jobs.handlers.index import CollectionName
from jobs.plain_text import markdown_text
from jobs.search_index.collections import Found, Hit, find_collection, names_of_collections, search
from jobs.search_index.snippets import Snippet


class SearchInput(msgspec.Struct, frozen=True, rename="camel"):
    """What to look for, and where."""

    collection: CollectionName
    query: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=1000,
            description='Words that a document must hold. "in quotes": side by side. wor*: what begins so. '
            "one OR other. -without. Nothing is an error.",
            examples=['harbour "new fee" -crane'],
        ),
    ]
    limit: Annotated[int, Meta(ge=1, le=100, description="Hits at most.", examples=[10])] = 10
    snippets: Annotated[bool, Meta(description="Show of each hit where the words stand.")] = True


def run(ctx: Context, job_input: SearchInput) -> dict[str, Any]:
    """Search, and write the page of hits. Raises ``DoNotRetry`` when there is no such collection."""
    home = find_collection(ctx.owner, job_input.collection)
    if home is None:
        names = ", ".join(names_of_collections(ctx.owner)) or "none yet; a job of the type index makes one"
        raise DoNotRetry(f"There is no collection {job_input.collection!r} of yours. You have: {names}.")
    found = search(home, job_input.query, job_input.limit)
    artifact = ctx.artifact("search.md", page_of(job_input, found))
    count = len(found.hits)
    loosely = "" if found.all_words else ", none with all the words"
    return {
        "summary": f"{count} {'hit' if count == 1 else 'hits'} for {job_input.query[:100]!r} in {home.name}{loosely}",
        "collection": home.name,
        "query": job_input.query,
        "allWords": found.all_words,
        "hits": [_hit(hit, snippets=job_input.snippets) for hit in found.hits],
        "artifactPath": artifact.path,
    }


def page_of(job_input: SearchInput, found: Found) -> str:
    """Return the hits as a page of Markdown."""
    heading = f"# Search: {markdown_text(job_input.query)}\n"
    if not found.hits:
        return f"{heading}\nNothing in {markdown_text(job_input.collection)}.\n"
    loosely = "" if found.all_words else "\n*No document has all the words; these have some.*\n"
    return heading + loosely + "".join(_entry(number, hit) for number, hit in enumerate(found.hits, 1))


def _entry(number: int, hit: Hit) -> str:
    title = markdown_text(hit.document.title or hit.document.doc_id[:200])
    link = f"\n\n<{hit.document.url}>" if hit.document.url.startswith("http") and ">" not in hit.document.url else ""
    return f"\n## {number}. {title}\n\n{_emphasised(hit.snippet)}{link}\n"


def _emphasised(snippet: Snippet) -> str:
    parts, at = [], 0
    for start, end in snippet.highlights:
        parts += [markdown_text(snippet.text[at:start]), f"**{markdown_text(snippet.text[start:end])}**"]
        at = end
    return "".join([*parts, markdown_text(snippet.text[at:])])


def _hit(hit: Hit, *, snippets: bool) -> dict[str, Any]:
    shown = {"snippet": hit.snippet.text, "highlights": [list(span) for span in hit.snippet.highlights]}
    return {
        "id": hit.document.doc_id,
        "title": hit.document.title,
        "url": hit.document.url or None,
        "score": hit.score,
        **(shown if snippets else {}),
    }


JOB_TYPE = JobType(
    name="search",
    description="Searches a collection that index has filled: words, phrases, beginnings, with highlighted snippets.",
    input_model=SearchInput,
    run=run,
    time_limit=60,
)
