"""The crypto brief: which items go in, and the Markdown for them. No network, no Django."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import parse_qsl, urlencode, urlsplit

from jobs.feeds import FeedItem
from jobs.plain_text import clean_text, markdown_link, markdown_text, short_address

# A publisher's clock or zone may be off by some hours; what claims to be from next week has no date at all.
MOST_AHEAD = timedelta(days=1)

_NEVER = datetime.min.replace(tzinfo=UTC)
_TRACKING = frozenset({"fbclid", "gclid", "igshid", "mc_cid", "mc_eid"})
_DEFAULT_PORTS = frozenset({None, 80, 443})


@dataclass(frozen=True, slots=True)
class FailedSource:
    """A feed that could not be read, and why, as a sentence."""

    source: str
    error: str


def choose_items(items: Iterable[FeedItem], *, limit: int, now: datetime) -> list[FeedItem]:
    """Return at most ``limit`` items, newest first, undated last, each link and each title once."""
    chosen: list[FeedItem] = []
    seen: set[str] = set()
    for item in sorted((_dated(item, now) for item in items), key=_age_order, reverse=True):
        keys = _keys(item)
        if seen.isdisjoint(keys):
            seen.update(keys)
            chosen.append(item)
    return chosen[:limit]


def render_brief(items: Sequence[FeedItem], failures: Sequence[FailedSource], *, now: datetime, zone: tzinfo) -> str:
    """Return the brief as Markdown, its dates and times in ``zone``."""
    today = now.astimezone(zone)
    blocks = [f"# Crypto brief, {today:%A} {_date(today)}"]
    blocks += [_render_item(item, zone) for item in items] or ["Nothing new in the feeds."]
    if failures:
        blocks.append("## Could not be read\n\n" + "\n".join(map(_render_failure, failures)))
    blocks.append(f"*Read at {today:%H:%M}, all times in {markdown_text(str(zone))}.*")
    return "\n\n".join(blocks) + "\n"


def _dated(item: FeedItem, now: datetime) -> FeedItem:
    if item.published is None or item.published <= now:
        return item
    return replace(item, published=now if item.published - now <= MOST_AHEAD else None)


def _age_order(item: FeedItem) -> datetime:
    return item.published or _NEVER


def _keys(item: FeedItem) -> set[str]:
    letters = "".join(filter(str.isalnum, item.title.casefold()))
    # A title of signs only says nothing about what it stands over.
    return {f"link {_link_key(item.link)}"} | ({f"title {letters}"} if letters else set())


def _link_key(link: str) -> str:
    """Return what stays the same when an article is linked from several places."""
    parts = urlsplit(link)
    host = (parts.hostname or "").removeprefix("www.")
    port = "" if parts.port in _DEFAULT_PORTS else f":{parts.port}"
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if _matters(name)]
    return f"{host}{port}{parts.path.rstrip('/')}?{urlencode(sorted(query))}"


def _matters(name: str) -> bool:
    return not name.startswith("utm_") and name not in _TRACKING


def _render_item(item: FeedItem, zone: tzinfo) -> str:
    facts = [markdown_text(item.source)]
    if item.published:
        facts.append(_moment(item.published, zone))
    facts.append(markdown_link("Read", item.link))
    return f"## {markdown_text(item.title)}\n\n{' · '.join(facts)}"


def _render_failure(failure: FailedSource) -> str:
    return f"- {markdown_text(short_address(failure.source))}: {markdown_text(clean_text(failure.error, 200))}"


def _moment(moment: datetime, zone: tzinfo) -> str:
    try:
        local = moment.astimezone(zone)
    except OverflowError:
        # The first and the last day of the calendar exist in some zones only.
        local = moment
    return f"{local:%a} {_date(local)}, {local:%H:%M}"


def _date(day: datetime) -> str:
    return f"{day.day} {day:%B} {day.year}"
