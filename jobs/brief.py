"""The crypto brief: which items go in, and the Markdown for them. No network, no Django."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from urllib.parse import parse_qsl, urlencode, urlsplit

from jobs.feeds import FeedItem
from jobs.news.sentences import first_sentences
from jobs.plain_text import clean_text, markdown_link, markdown_text, short_address

# A publisher's clock or zone may be off by some hours; what claims to be from next week has no date at all.
MOST_AHEAD = timedelta(days=1)

SUMMARY = 220
"""Characters: five lines on a phone."""
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
    for item in sorted((without_future(item, now) for item in items), key=_age_order, reverse=True):
        keys = item_keys(item)
        if seen.isdisjoint(keys):
            seen.update(keys)
            chosen.append(item)
    return chosen[:limit]


def render_brief(
    items: Sequence[FeedItem],
    failures: Sequence[FailedSource],
    *,
    now: datetime,
    zone: tzinfo,
    summaries: bool = False,
) -> str:
    """Return the brief as Markdown for a narrow screen, its days and times those of ``zone``.

    Each headline is its own link; below it stand source and time, and with ``summaries`` the first sentence of what
    the feed says about it.
    """
    today = now.astimezone(zone)
    blocks = [f"# Crypto brief\n\n{today:%A} {written_date(today)}, {today:%H:%M} · {_count(items)}"]
    for heading, of_day in groupby(items, lambda item: day_heading(item, today)):
        blocks += [f"## {heading}", *(_render_item(item, zone, summaries=summaries) for item in of_day)]
    if not items:
        blocks.append("Nothing new in the feeds.")
    if failures:
        blocks.append("## Could not be read\n\n" + "\n".join(map(_render_failure, failures)))
    blocks.append(f"*All times in {markdown_text(str(zone))}.*")
    return "\n\n".join(blocks) + "\n"


def _count(items: Sequence[FeedItem]) -> str:
    sources = len({item.source for item in items})
    headlines = "1 headline" if len(items) == 1 else f"{len(items)} headlines"
    return f"{headlines} from {sources} sources" if sources > 1 else headlines


def day_heading(item: FeedItem, today: datetime) -> str:
    """Return the day of an item as people call it, in the zone of ``today``."""
    if item.published is None:
        return "Without a date"
    local = local_time(item.published, today.tzinfo)
    days = (today.date() - local.date()).days
    near = {0: "Today", 1: "Yesterday"}.get(days)
    return near or f"{local:%A} {written_date(local)}"


def without_future(item: FeedItem, now: datetime) -> FeedItem:
    """Return the item dated now if it claims to be a little ahead, without a date if it claims to be far ahead."""
    if item.published is None or item.published <= now:
        return item
    return replace(item, published=now if item.published - now <= MOST_AHEAD else None)


def _age_order(item: FeedItem) -> datetime:
    return item.published or _NEVER


def item_keys(item: FeedItem) -> set[str]:
    """Return what an item shares with the same article elsewhere: its link without tracking, its title's letters."""
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


def _render_item(item: FeedItem, zone: tzinfo, *, summaries: bool) -> str:
    facts = [markdown_text(item.source)]
    if item.published:
        facts.append(f"{local_time(item.published, zone):%H:%M}")
    sentence = first_sentences(item.description, SUMMARY) if summaries else ""
    paragraphs = [f"### {markdown_link(item.title, item.link)}", " · ".join(facts)]
    return "\n\n".join([*paragraphs, *([markdown_text(sentence)] if sentence else [])])


def _render_failure(failure: FailedSource) -> str:
    return f"- {markdown_text(short_address(failure.source))}: {markdown_text(clean_text(failure.error, 200))}"


def local_time(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return a moment in a zone, as it is if the calendar of that zone does not reach it."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        # The first and the last day of the calendar exist in some zones only.
        return moment


def written_date(day: datetime) -> str:
    """Return a date as people write it."""
    return f"{day.day} {day:%B} {day.year}"
