"""``summarize``: a few sentences of a text, a page or a file; without any model, or by the owner's."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from jobs.artifact_fields import artifact_of
from jobs.contract import Context, JobType
from jobs.errors import DoNotRetry, JobFailed, RetryAfter
from jobs.file_text import READABLE, text_of
from jobs.language_model import is_configured
from jobs.pages.extraction import plain_paragraphs, read_article
from jobs.pages.fetching import PageFault, fetch_page
from jobs.plain_text import clean_text, markdown_text
from jobs.summaries.by_model import summarize_by_model
from jobs.summaries.extractive import summarize
from jobs.summaries.words import language_of
from pirunner.errors import Fault

Engine = Literal["auto", "extractive", "llm"]


class SummarizeInput(msgspec.Struct, frozen=True, rename="camel"):
    """What to summarise (exactly one of text, url and artifactId), and how."""

    text: (
        Annotated[str, Meta(min_length=1, max_length=900_000, description="The text itself.", examples=["Once ..."])]
        | None
    ) = None
    url: (
        Annotated[
            str,
            Meta(
                min_length=8,
                max_length=2048,
                pattern="^https?://",
                description="A page; its main content is summarised.",
                examples=["https://example.com/article"],
            ),
        ]
        | None
    ) = None
    artifact_id: Annotated[str, artifact_of(*READABLE, description="A text, page or PDF of an earlier job.")] | None = (
        None
    )
    sentences: Annotated[int, Meta(ge=1, le=20, description="How many at most.", examples=[3])] = 5
    engine: Annotated[
        Engine,
        Meta(
            description="extractive: the most telling sentences as they stand, no model needed. llm: newly written by "
            "the owner's language model. auto: llm where there is one and it answers, else extractive."
        ),
    ] = "auto"
    language: (
        Annotated[
            str,
            Meta(
                pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
                max_length=35,
                description="Of what llm writes; extractive takes it for that of the text. Default: the text's.",
                examples=["en", "pt-BR"],
            ),
        ]
        | None
    ) = None


@dataclass(frozen=True, slots=True)
class Source:
    """What is summarised: its title (may be empty), where it is from, and its text."""

    title: str
    origin: str
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """A summary: its sentences, who wrote it, its language, and why it is not by the model if it should be."""

    sentences: list[str]
    engine: str
    language: str
    fallback: str = ""


def check(job_input: SummarizeInput) -> list[Fault]:
    """Refuse none or two of what can be summarised."""
    if sum(source is not None for source in (job_input.text, job_input.url, job_input.artifact_id)) == 1:
        return []
    return [Fault((), "invalid_value", "Send exactly one of text, url and artifactId.")]


def run(ctx: Context, job_input: SummarizeInput) -> dict[str, Any]:
    """Read the source, summarise it, and write the page."""
    source = _read_source(ctx, job_input)
    ctx.log(f"Read {len(source.text)} characters from {source.origin}.")
    ctx.progress(10, "Summarising")
    written = _write(ctx, source, job_input)
    if not written.sentences:
        raise DoNotRetry(f"There are no sentences in {source.origin}.")
    artifact = ctx.artifact("summary.md", page_of(source, written))
    summary = " ".join(written.sentences)
    return {
        "summary": summary,
        "sentences": written.sentences,
        "engine": written.engine,
        "language": written.language or None,
        "title": source.title or None,
        "characters": len(source.text),
        "fallback": written.fallback or None,
        "artifactPath": artifact.path,
    }


def page_of(source: Source, written: Written) -> str:
    """Return the summary as a page of Markdown."""
    how = {"llm": "written by a language model", "extractive": "sentences of the original"}[written.engine]
    heading = markdown_text(source.title) or "Summary"
    bullets = "\n".join(f"- {markdown_text(sentence)}" for sentence in written.sentences)
    return f"# {heading}\n\n{bullets}\n\n*Summary of {markdown_text(source.origin)}: {how}.*\n"


def _read_source(ctx: Context, job_input: SummarizeInput) -> Source:
    if job_input.url is not None:
        return _read_page(ctx, job_input.url)
    if job_input.artifact_id is not None:
        artifact = ctx.read_artifact(job_input.artifact_id)
        return Source(clean_text(artifact.name, 200), artifact.name, text_of(ctx, artifact))
    return Source("", "the text that was sent", job_input.text or "")


def _read_page(ctx: Context, url: str) -> Source:
    ctx.progress(0, "Fetching the page")
    try:
        article = read_article(fetch_page(ctx.http, url))
    except PageFault as fault:
        raise _failure(url, fault) from None
    return Source(article.title, article.url, "\n\n".join(plain_paragraphs(article.markdown)))


def _failure(url: str, fault: PageFault) -> JobFailed:
    sentence = f"{url[:200]}: {fault}"
    if fault.permanent:
        return DoNotRetry(sentence)
    return JobFailed(sentence) if fault.retry_after is None else RetryAfter(fault.retry_after, sentence)


def _write(ctx: Context, source: Source, job_input: SummarizeInput) -> Written:
    language = job_input.language or ""
    wanted = job_input.engine
    fallback = ""
    if wanted == "llm" or (wanted == "auto" and is_configured()):
        try:
            sentences = summarize_by_model(ctx, source.text, job_input.sentences, language)
            return Written(sentences, "llm", language or language_of(" ".join(sentences)))
        except JobFailed as error:
            if wanted == "llm":
                raise
            fallback = str(error)
            ctx.log(f"The model did not do it, so the sentences are the text's own: {error}", "warning")
    found = summarize(source.text, job_input.sentences, language)
    return Written(list(found.sentences), "extractive", found.language, fallback)


JOB_TYPE = JobType(
    name="summarize",
    description="Summarises a text, a page or a file in a few sentences: offline, or by the owner's language model.",
    input_model=SummarizeInput,
    run=run,
    check=check,
    time_limit=900,
    long=True,
)
