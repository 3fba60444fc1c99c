"""``digest``: what is new in many feeds and pages, as one page of Markdown."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from msgspec import Meta

from jobs.contract import Context, JobType
from jobs.errors import DoNotRetry, JobCancelled, JobFailed
from jobs.feeds import FeedItem, parse_feed
from jobs.news.choosing import Story, choose_stories
from jobs.news.query import parse_query
from jobs.news.rendering import render_digest
from jobs.news.sentences import first_sentences
from jobs.news.sources import Reading, read_all
from jobs.pages.extraction import plain_words, read_article
from jobs.pages.fetching import Kind, Page
from jobs.plain_text import clean_link, clean_text, short_address
from pirunner.times import iso

_REMEMBERED = 5000
"""Stories that a digest knows it has shown: a hundred digests of the default length and more."""
_DESCRIPTION = 600

Source = Annotated[str, Meta(max_length=2048, pattern="^https?://", examples=["https://www.python.org/blogs/"])]


class DigestInput(msgspec.Struct, frozen=True, rename="camel"):
    """Where to look, what for, and how to show it."""

    sources: Annotated[
        tuple[Source, ...],
        Meta(
            min_length=1,
            max_length=30,
            description="Feeds (RSS, Atom) and pages. A page is one item, and new again when its text changes.",
        ),
    ]
    query: Annotated[
        str,
        Meta(
            max_length=300,
            description='Keep what fits, best first: words (one is enough), "phrases" (all), -words (none of them).',
            examples=['solar "heat pump" -advertisement'],
        ),
    ] = ""
    max_items: Annotated[int, Meta(ge=1, le=200, description="Stories at most.", examples=[20])] = 20
    template: Annotated[
        Literal["compact", "full"],
        Meta(description="One line per story, or with the first sentences of what its source says."),
    ] = "full"
    group: Annotated[Literal["source", "day", "none"], Meta(description="What stands under one heading.")] = "source"
    title: Annotated[
        str,
        Meta(min_length=1, max_length=100, description="Heading; with sources and query it tells digests apart."),
    ] = "Digest"
    only_new: Annotated[
        bool, Meta(description="Leave out what an earlier digest of the same title, sources and query has shown.")
    ] = True
    max_age_days: (
        Annotated[int, Meta(ge=1, le=3650, description="Leave out what is older; undated items stay.", examples=[7])]
        | None
    ) = None


def run(ctx: Context, job_input: DigestInput) -> dict[str, Any]:
    """Read the sources and write the digest. Raises ``JobFailed`` when none of them can be read."""
    now = datetime.now(UTC)
    readings = _read(ctx, job_input.sources)
    memory_key = _memory_key(job_input)
    memory = (ctx.recall(memory_key) or {}) if job_input.only_new else {}
    stories = choose_stories(
        [item for reading in readings for item in reading.items],
        query=parse_query(job_input.query),
        shown=memory.get("shown", ()),
        since=now - timedelta(days=job_input.max_age_days) if job_input.max_age_days else None,
        limit=job_input.max_items,
        now=now,
    )
    artifact = _write(ctx, job_input, stories, readings, previous_at=memory.get("at"), now=now)
    if job_input.only_new:
        shown = [*memory.get("shown", ()), *(story.key for story in stories)]
        ctx.keep(memory_key, {"at": iso(now), "shown": shown[-_REMEMBERED:]})
    failed = sum(not reading.health.ok for reading in readings)
    return {
        "summary": _summary(len(stories), failed),
        "itemCount": len(stories),
        "items": [_document(story) for story in stories],
        "previousAt": memory.get("at"),
        "artifactPath": artifact,
        "sources": [reading.health.document() for reading in readings],
        "failedSources": failed,
    }


def read_news(page: Page) -> Sequence[FeedItem]:
    """Return the items of a feed, or a page as one item; raises ``NotAFeed`` or ``PageFault``."""
    if page.kind is Kind.FEED:
        return parse_feed(page.body, url=page.url, content_type=page.content_type)
    article = read_article(page)
    link = clean_link(page.url)
    words = plain_words(article.markdown)
    item = FeedItem(
        title=article.title or clean_text(words, 80) or short_address(page.url),
        link=link or page.url,
        published=datetime.fromisoformat(article.date).replace(tzinfo=UTC) if article.date else None,
        source=clean_text(article.site, 60) or short_address(page.url).partition("/")[0],
        description=first_sentences(words[: 4 * _DESCRIPTION], _DESCRIPTION),
        version=hashlib.sha256(words.encode()).hexdigest()[:16],
    )
    return (item,)


def _read(ctx: Context, sources: Sequence[str]) -> list[Reading]:
    known = {source: ctx.recall(f"source {source}") for source in dict.fromkeys(sources)}
    done = 0

    def note() -> None:
        nonlocal done
        done += 1
        ctx.progress(90 * done / len(known), f"{done} of {len(known)} sources read")
        if ctx.cancelled():
            raise JobCancelled

    readings = read_all(ctx.http, known, read_news, note)
    for reading in readings:
        health = reading.health
        said = health.error or f"{health.items} items{' (not modified)' if health.from_cache else ''}"
        ctx.log(f"{short_address(health.source)}: {said} ({health.ms} ms)", "info" if health.ok else "warning")
        if reading.kept is not None:
            ctx.keep(f"source {health.source}", reading.kept)
    _insist_on_one(readings)
    return readings


def _insist_on_one(readings: Sequence[Reading]) -> None:
    healths = [reading.health for reading in readings]
    if any(health.ok for health in healths):
        return
    reasons = " ".join(f"{short_address(health.source)}: {health.error}" for health in healths[:10])
    failure = DoNotRetry if all(health.permanent for health in healths) else JobFailed
    raise failure(f"None of the sources could be read. {reasons}")


def _write(
    ctx: Context,
    job_input: DigestInput,
    stories: Sequence[Story],
    readings: Sequence[Reading],
    *,
    previous_at: str | None,
    now: datetime,
) -> str:
    zone = ZoneInfo(settings.TIME_ZONE)
    page = render_digest(
        stories,
        [reading.health for reading in readings],
        title=job_input.title,
        template=job_input.template,
        group=job_input.group,
        previous=datetime.fromisoformat(previous_at) if previous_at else None,
        now=now,
        zone=zone,
    )
    return ctx.artifact(f"digest-{now.astimezone(zone):%Y-%m-%d}.md", page).path


def _memory_key(job_input: DigestInput) -> str:
    """Return under what a digest remembers what it has shown: another order of its sources is the same digest."""
    parts = [job_input.title, job_input.query, *sorted(set(job_input.sources))]
    return f"shown {hashlib.sha256(chr(10).join(parts).encode()).hexdigest()}"


def _summary(count: int, failed: int) -> str:
    stories = "Nothing new" if not count else "1 new story" if count == 1 else f"{count} new stories"
    return f"{stories}; {failed} source{'s' if failed > 1 else ''} could not be read" if failed else stories


def _document(story: Story) -> dict[str, Any]:
    item = story.item
    return {
        "title": item.title,
        "link": item.link,
        "isoDate": iso(item.published),
        "source": item.source,
        "alsoIn": story.also,
        "summary": first_sentences(item.description, _DESCRIPTION),
    }


JOB_TYPE = JobType(
    name="digest",
    description="Reads many feeds and pages and writes what is new in them as one readable page of Markdown.",
    input_model=DigestInput,
    run=run,
    time_limit=300,
)
