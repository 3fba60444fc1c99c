"""Reading feeds and pages for news, with what was read last time at hand: items, health, what to keep. No Django."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from jobs.feeds import FeedItem, NotAFeed, parse_feed
from jobs.pages.fetching import NOT_MODIFIED, Page, PageFault, conditional, fetch_page
from pirunner.times import iso
from webhooks.egress import CheckedClient

READERS = 8
"""Sources read at the same time: each may hold a body of 2 MiB."""
FRESH_FOR = timedelta(days=1)
"""How long kept items may stand for a source that says it has not changed: after that it is read whole again."""
_MOST_KEPT = 200_000
"""Characters of JSON that are kept for a source."""

ReadPage = Callable[[Page], Sequence[FeedItem]]
"""Takes the items out of an answer; raises ``NotAFeed`` or ``PageFault``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How reading one source went: milliseconds, the status of its answer (None when there was none).

    ``from_cache`` says that it answered "not modified" and the items are those of the last time.
    """

    source: str
    ok: bool
    items: int = 0
    ms: int = 0
    status: int | None = None
    from_cache: bool = False
    error: str = ""
    last_ok_at: str | None = None
    permanent: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as it stands in a result."""
        return {
            "source": self.source,
            "ok": self.ok,
            "items": self.items,
            "ms": self.ms,
            "status": self.status,
            "fromCache": self.from_cache,
            "error": self.error or None,
            "lastOkAt": self.last_ok_at,
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a source; ``kept`` is for the next time, None when what is kept stays as it is."""

    health: Health
    items: tuple[FeedItem, ...] = ()
    kept: dict[str, Any] | None = None


def feed_items(page: Page) -> Sequence[FeedItem]:
    """Return the items of an answer that must be a feed; raises ``NotAFeed``."""
    return parse_feed(page.body, url=page.url, content_type=page.content_type)


def read_all(
    client: CheckedClient,
    sources: Mapping[str, Mapping[str, Any] | None],
    read: ReadPage = feed_items,
    done: Callable[[], None] = lambda: None,
) -> list[Reading]:
    """Read sources side by side, in their order; the mapping tells what was kept of each the last time.

    ``done`` is called after each, in the thread of the caller.
    """
    readings = []
    turn = Lock()

    def read_alone(page: Page) -> Sequence[FeedItem]:
        # A feed of 2 MiB takes 60 MB while it is parsed, and threads would not parse two any faster.
        with turn:
            return read(page)

    with ThreadPoolExecutor(READERS, thread_name_prefix="source") as readers:
        for reading in readers.map(lambda pair: read_source(client, pair[0], pair[1], read_alone), sources.items()):
            readings.append(reading)
            done()
    return readings


def read_source(
    client: CheckedClient, source: str, kept: Mapping[str, Any] | None, read: ReadPage = feed_items
) -> Reading:
    """Read one source; whatever happens is a reading with its health."""
    begun, now = time.monotonic(), datetime.now(UTC)
    known = kept or {}
    page = None
    try:
        page = fetch_page(client, source, _validators(known, now))
        cached = page.status == NOT_MODIFIED
        items = tuple(map(_item_of, known.get("items", ()))) if cached else tuple(read(page))
    except PageFault as fault:
        return Reading(_failed(source, fault, begun, known, fault.status, permanent=fault.permanent))
    except NotAFeed as fault:
        return Reading(_failed(source, fault, begun, known, page.status if page else None))
    health = Health(
        source=source,
        ok=True,
        items=len(items),
        ms=_ms_since(begun),
        status=page.status,
        from_cache=cached,
        last_ok_at=iso(now),
    )
    return Reading(health, items, {**known, "lastOkAt": iso(now)} if cached else _to_keep(page, items, now))


def _failed(
    source: str,
    fault: Exception,
    begun: float,
    known: Mapping[str, Any],
    status: int | None,
    *,
    permanent: bool = False,
) -> Health:
    return Health(
        source=source,
        ok=False,
        ms=_ms_since(begun),
        status=status,
        error=str(fault),
        last_ok_at=known.get("lastOkAt"),
        permanent=permanent,
    )


def _ms_since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)


def _validators(kept: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """Return the headers that ask whether what is kept is still current; none when it is too old to be used."""
    read_at = kept.get("readAt")
    if not read_at or now - datetime.fromisoformat(read_at) >= FRESH_FOR:
        return {}
    return conditional(kept.get("etag", ""), kept.get("lastModified", ""))


def _to_keep(page: Page, items: Sequence[FeedItem], now: datetime) -> dict[str, Any]:
    health = {"lastOkAt": iso(now)}
    if not (page.etag or page.last_modified):
        return health
    whole = {
        **health,
        "readAt": iso(now),
        "etag": page.etag,
        "lastModified": page.last_modified,
        "items": [_document_of(item) for item in items],
    }
    # A source too large to keep is read whole each time.
    return whole if len(json.dumps(whole)) <= _MOST_KEPT else health


def _document_of(item: FeedItem) -> list[str | None]:
    return [item.title, item.link, iso(item.published), item.source, item.description, item.version]


def _item_of(document: Sequence[Any]) -> FeedItem:
    title, link, published, source, description, version = document
    moment = datetime.fromisoformat(published) if published else None
    return FeedItem(title, link, moment, source, description, version)
