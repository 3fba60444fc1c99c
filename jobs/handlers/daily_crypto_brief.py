"""``daily-crypto-brief``: the newest headlines of several feeds as a page of Markdown, to read on a phone."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from msgspec import UNSET, Meta, UnsetType

from jobs.brief import FailedSource, choose_items, render_brief
from jobs.contract import Context, JobType
from jobs.errors import JobFailed
from jobs.feeds import FeedItem, NotAFeed, parse_feed
from jobs.javascript import to_boolean, to_number
from jobs.plain_text import short_address
from pirunner.times import iso
from webhooks.egress import CheckedClient, EgressError

DEFAULT_SOURCES = (
    "https://www.coindesk.com/arc/outboundfeeds/rss/",
    "https://cointelegraph.com/rss",
    "https://www.theblock.co/rss.xml",
)
_READERS = 8  # feeds read at the same time: each may hold a body of 2 MiB

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


Outcome = tuple[FeedItem, ...] | FailedSource


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
    items, failures = read_sources(ctx.http, job_input.sources)
    limit = settings.CRYPTO_MAX_ITEMS if job_input.max_items is UNSET else job_input.max_items
    chosen = choose_items(items, limit=limit, now=now)
    zone = ZoneInfo(settings.TIME_ZONE)
    page = render_brief(chosen, failures, now=now, zone=zone)
    artifact = ctx.artifact(f"crypto-brief-{now.astimezone(zone):%Y-%m-%d}.md", page)
    return {
        "summary": f"Generated {len(chosen)}-item crypto brief",
        "itemCount": len(chosen),
        "items": [_item_document(item) for item in chosen],
        "artifactPath": artifact.path,
        "failedSources": [asdict(failure) for failure in failures],
    }


def read_sources(client: CheckedClient, sources: Sequence[str]) -> tuple[list[FeedItem], list[FailedSource]]:
    """Return the items of all feeds that could be read, and the feeds that could not.

    Raises ``JobFailed``, with the reason of each, if there is none that could.
    """
    addresses = list(dict.fromkeys(sources))
    with ThreadPoolExecutor(_READERS, thread_name_prefix="feed") as readers:
        outcomes = list(readers.map(partial(_read_source, client), addresses))
    failures = [outcome for outcome in outcomes if isinstance(outcome, FailedSource)]
    if len(failures) == len(addresses):
        reasons = " ".join(f"{short_address(failure.source)}: {failure.error}" for failure in failures)
        raise JobFailed(f"None of the feeds could be read. {reasons}")
    return [item for outcome in outcomes if isinstance(outcome, tuple) for item in outcome], failures


def _read_source(client: CheckedClient, source: str) -> Outcome:
    try:
        response = client.get(source)
        if response.status != 200:
            return FailedSource(source, f"The server answered {response.status}.")
        return parse_feed(response.body, url=response.url, content_type=response.headers.get("content-type", ""))
    except (EgressError, NotAFeed) as error:
        return FailedSource(source, str(error))


def _item_document(item: FeedItem) -> dict[str, Any]:
    return {
        "title": item.title,
        "link": item.link,
        "isoDate": iso(item.published),
        "source": item.source,
    }


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
