"""``daily-crypto-brief``: the newest headlines of several feeds as a page of Markdown, to read on a phone."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from msgspec import UNSET, Meta, UnsetType

from jobs.brief import SUMMARY, FailedSource, choose_items, render_brief
from jobs.contract import Context, JobType
from jobs.errors import JobFailed
from jobs.feeds import FeedItem
from jobs.javascript import to_boolean, to_number
from jobs.news.sentences import first_sentences
from jobs.news.sources import Reading, read_all
from jobs.plain_text import short_address
from pirunner.times import iso

DEFAULT_SOURCES = (
    "https://www.coindesk.com/arc/outboundfeeds/rss/",
    "https://cointelegraph.com/rss",
    "https://www.theblock.co/rss.xml",
)

Source = Annotated[str, Meta(max_length=2048, pattern="^https?://")]


class BriefInput(msgspec.Struct, frozen=True, rename="camel"):
    """How long the brief is, and what it is made from."""

    max_items: (
        Annotated[
            int,
            Meta(ge=1, le=100, description="Headlines at most; default CRYPTO_MAX_ITEMS.", examples=[5]),
        ]
        | UnsetType
    ) = UNSET
    sources: Annotated[
        tuple[Source, ...],
        Meta(min_length=1, max_length=20, description="Addresses of RSS or Atom feeds (http or https)."),
    ] = DEFAULT_SOURCES
    summaries: Annotated[
        bool, Meta(description="Add the first sentence of what the feed says about each item; nothing more is fetched.")
    ] = False


def prepare(value: Any) -> Any:
    """Return the input as the old runner read it: falsy values and an empty ``sources`` mean the default."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    prepared = {name: field for name, field in value.items() if to_boolean(field) and field != []}
    if "maxItems" in prepared:
        prepared["maxItems"] = _whole_number(prepared["maxItems"])
    return prepared


def run(ctx: Context, job_input: BriefInput) -> dict[str, Any]:
    """Read the feeds side by side and write the brief. Raises ``JobFailed`` when none of them can be read."""
    now = datetime.now(UTC)
    readings = read_sources(ctx, job_input.sources)
    failures = failures_of(readings)
    limit = settings.CRYPTO_MAX_ITEMS if job_input.max_items is UNSET else job_input.max_items
    chosen = choose_items([item for reading in readings for item in reading.items], limit=limit, now=now)
    zone = ZoneInfo(settings.TIME_ZONE)
    page = render_brief(chosen, failures, now=now, zone=zone, summaries=job_input.summaries)
    artifact = ctx.artifact(f"crypto-brief-{now.astimezone(zone):%Y-%m-%d}.md", page)
    return {
        "summary": f"Generated {len(chosen)}-item crypto brief",
        "itemCount": len(chosen),
        "items": [_item_document(item, summaries=job_input.summaries) for item in chosen],
        "artifactPath": artifact.path,
        "failedSources": [asdict(failure) for failure in failures],
        "sources": [reading.health.document() for reading in readings],
    }


def read_sources(ctx: Context, sources: Sequence[str]) -> list[Reading]:
    """Return how reading each source went, and what came of it; what is worth it is kept for the next brief.

    Raises ``JobFailed``, with the reason of each, if none could be read.
    """
    known = {source: ctx.recall(_kept_under(source)) for source in dict.fromkeys(sources)}
    readings = read_all(ctx.http, known)
    for reading in readings:
        health = reading.health
        ctx.log(
            f"{short_address(health.source)}: {health.error or f'{health.items} items'} ({health.ms} ms)",
            "info" if health.ok else "warning",
        )
        if reading.kept is not None:
            ctx.keep(_kept_under(health.source), reading.kept)
    failures = failures_of(readings)
    if len(failures) == len(readings):
        reasons = " ".join(f"{short_address(failure.source)}: {failure.error}" for failure in failures)
        raise JobFailed(f"None of the feeds could be read. {reasons}")
    return readings


def failures_of(readings: Sequence[Reading]) -> list[FailedSource]:
    """Return the sources that could not be read."""
    healths = [reading.health for reading in readings]
    return [FailedSource(health.source, health.error) for health in healths if not health.ok]


def _kept_under(source: str) -> str:
    return f"source {source}"


def _item_document(item: FeedItem, *, summaries: bool) -> dict[str, Any]:
    document = {
        "title": item.title,
        "link": item.link,
        "isoDate": iso(item.published),
        "source": item.source,
    }
    return {**document, "summary": first_sentences(item.description, SUMMARY)} if summaries else document


def _whole_number(value: Any) -> Any:
    """Return ``Number(value)`` without its fraction, as slice() took it; what is no number stays as it is."""
    number = to_number(value)
    return value if number is None or math.isinf(number) else math.trunc(number)


JOB_TYPE = JobType(
    name="daily-crypto-brief",
    description="Collects the newest crypto headlines from several feeds into one page of Markdown.",
    input_model=BriefInput,
    run=run,
    prepare=prepare,
)
