"""``scrape``: the main content of pages as Markdown, plain text or JSON, read politely."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from jobs.contract import Context, JobType, StoredArtifact
from jobs.errors import JobCancelled
from jobs.outcomes import Failure, insist_on_one
from jobs.packing import checkpointed_text, remember_text
from jobs.pages.extraction import Article
from jobs.pages.pacing import Pacer
from jobs.pages.reading import PageOutcome, PageReader
from jobs.pages.writing import (
    article_document,
    article_markdown,
    article_text,
    file_stem,
    joined_markdown,
    joined_text,
    json_line,
)
from jobs.plain_text import short_address
from pirunner.errors import Fault
from pirunner.wording import counted

_MOST_FILES = 10
"""Up to so many pages have a file each, besides the one that holds them all."""
_MOST_TEXT = 8 * 1024 * 1024
"""Characters of all pages together, which are in memory at the end."""

Address = Annotated[str, Meta(max_length=2048, pattern="^https?://", examples=["https://example.com/article"])]


class ScrapeInput(msgspec.Struct, frozen=True, rename="camel"):
    """Which pages to read, and in what form to write them down."""

    url: Annotated[Address | None, Meta(description="The page to read; or name several in urls.")] = None
    urls: Annotated[
        tuple[Address, ...],
        Meta(max_length=100, description="The pages to read, each once.", examples=[["https://example.com/a"]]),
    ] = ()
    format: Annotated[
        Literal["markdown", "text", "json"],
        Meta(description="Markdown or plain text to read, or JSON: one line per page, with what is known about it."),
    ] = "markdown"
    delay_seconds: Annotated[
        float,
        Meta(ge=0, le=20, description="Pause between two requests to one host; its Crawl-delay may make it longer."),
    ] = 1.0

    @property
    def addresses(self) -> list[str]:
        """All addresses, each once, in order."""
        return list(dict.fromkeys([*([self.url] if self.url else []), *self.urls]))


def check(job_input: ScrapeInput) -> list[Fault]:
    """Return what the schema cannot say: there must be a page to read."""
    return [] if job_input.addresses else [Fault(("url",), "required", "Send url, or urls with at least one address.")]


def run(ctx: Context, job_input: ScrapeInput) -> dict[str, Any]:
    """Read the pages and write them down. Raises ``JobFailed`` or ``DoNotRetry`` when none could be read."""
    addresses = job_input.addresses
    outcomes = _read(ctx, addresses, job_input.delay_seconds)
    failures = [(short_address(each.url), each.failure) for each in outcomes if each.failure]
    insist_on_one(failures, len(outcomes), "page")
    articles = [each.article for each in outcomes if each.article]
    files = _write(ctx, articles, job_input.format)
    done = counted(len(articles), "page")
    return {
        "summary": f"Read {done}" + (f"; {len(failures)} could not be read" if failures else ""),
        "pageCount": len(articles),
        "failedCount": len(failures),
        "pages": [_document(each) for each in outcomes],
        "artifactPath": files[0].path,
    }


def _read(ctx: Context, addresses: Sequence[str], delay: float) -> list[PageOutcome]:
    """Read what no earlier attempt has read; every page that is done is remembered."""
    outcomes = {outcome.url: outcome for outcome in _done_before(ctx.checkpoints(), addresses)}
    if outcomes:
        ctx.log(f"{counted(len(outcomes), 'page')} done by an earlier attempt.")
    reader = PageReader(ctx.http, ctx.sleep, Pacer(delay))
    size = sum(len(outcome.article.markdown) for outcome in outcomes.values() if outcome.article)
    for read in reader.read([url for url in addresses if url not in outcomes]):
        outcome = _within_limit(read, size)
        size += len(outcome.article.markdown) if outcome.article else 0
        outcomes[outcome.url] = outcome
        _remember(ctx, outcome)
        _tell(ctx, outcome, len(outcomes), len(addresses))
        if ctx.cancelled():
            raise JobCancelled
    return [outcomes[url] for url in addresses]


def _tell(ctx: Context, outcome: PageOutcome, done: int, total: int) -> None:
    where = short_address(outcome.url)
    ctx.progress(95 * done / total, f"{done} of {total} pages")
    if outcome.article:
        ctx.log(f"{where}: {counted(outcome.article.words, 'word')} ({outcome.ms} ms)")
    elif outcome.failure:
        ctx.log(f"{where}: {outcome.failure.message}", "warning")


def _remember(ctx: Context, outcome: PageOutcome) -> None:
    """Note what is done for good; what may go better next time is tried again."""
    key = f"page {outcome.url}"
    if outcome.article:
        pieces = remember_text(ctx.checkpoint, key, outcome.article.markdown)
        ctx.checkpoint(
            key, {"article": asdict(replace(outcome.article, markdown="")), "pieces": pieces, "ms": outcome.ms}
        )
    elif outcome.failure and not outcome.failure.retryable:
        ctx.checkpoint(key, {"failure": [outcome.failure.code, outcome.failure.message], "ms": outcome.ms})


def _done_before(checkpoints: Mapping[str, Any], addresses: Sequence[str]) -> list[PageOutcome]:
    outcomes = []
    for url in addresses:
        known = checkpoints.get(f"page {url}") or {}
        if "failure" in known:
            outcomes.append(PageOutcome(url, known["ms"], failure=Failure(*known["failure"])))
        elif "article" in known:
            text = checkpointed_text(checkpoints, f"page {url}", known["pieces"])
            if text is not None:
                article = Article(**known["article"] | {"markdown": text})
                outcomes.append(PageOutcome(url, known["ms"], article=article))
    return outcomes


def _within_limit(outcome: PageOutcome, size: int) -> PageOutcome:
    """Return the outcome, or a failure for a page that is too much together with those before it."""
    if outcome.article is None or size + len(outcome.article.markdown) <= _MOST_TEXT:
        return outcome
    too_much = Failure("too_much", "The pages before it fill what one job may hold; send it in another job.")
    return PageOutcome(outcome.url, outcome.ms, failure=too_much)


def _write(ctx: Context, articles: Sequence[Article], form: str) -> list[StoredArtifact]:
    """Write the file of all pages first, and one for each page if they are few."""
    if form == "json":
        return [ctx.artifact("pages.ndjson", "".join(map(json_line, articles)), "application/x-ndjson")]
    ending, media_type = ("md", "text/markdown") if form == "markdown" else ("txt", "text/plain")
    render, join = (article_markdown, joined_markdown) if form == "markdown" else (article_text, joined_text)
    singles = [(f"{file_stem(number, each)}.{ending}", each) for number, each in enumerate(articles, 1)]
    if len(articles) == 1:
        return [ctx.artifact(singles[0][0], render(articles[0]), media_type)]
    files = [ctx.artifact(f"pages.{ending}", join(articles), media_type)]
    if len(articles) <= _MOST_FILES:
        files += [ctx.artifact(name, render(each), media_type) for name, each in singles]
    return files


def _document(outcome: PageOutcome) -> dict[str, Any]:
    head = {"url": outcome.url, "ok": outcome.article is not None, "ms": outcome.ms}
    if outcome.failure:
        return {**head, "error": outcome.failure.document()}
    article = article_document(outcome.article) if outcome.article else {}
    return {**head, "finalUrl": article.pop("url"), **article}


JOB_TYPE = JobType(
    name="scrape",
    description="Reads pages politely and writes down their main content, with what is known about each.",
    input_model=ScrapeInput,
    check=check,
    run=run,
    time_limit=3600,
    long=True,
)
