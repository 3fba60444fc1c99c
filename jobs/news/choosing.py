"""Which items go into a digest: what fits, is new to its reader, and is not the same story twice. No Django."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from jobs.brief import item_keys, without_future
from jobs.feeds import FeedItem
from jobs.news.query import Query, folded

_SAME = 0.75
"""Titles that share so much of their words tell one story."""
_FEWEST = 4
"""Shorter titles are compared whole only: ``Bitcoin falls`` and ``Bitcoin rises`` share half of theirs."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Story:
    """An item that was chosen, by which key it is remembered, and who else has it."""

    item: FeedItem
    key: str
    also: list[str] = field(default_factory=list)


def choose_stories(
    items: Iterable[FeedItem],
    *,
    query: Query,
    shown: Collection[str],
    since: datetime | None,
    limit: int,
    now: datetime,
) -> list[Story]:
    """Return at most ``limit`` stories: best fit first if there is a query, then newest first, undated last.

    Left out are those whose key is in ``shown``, and dated ones from before ``since``.
    """
    scored = [(query.score(item), without_future(item, now)) for item in items]
    fitting = [
        (score, item) for score, item in scored if score and not (since and item.published and item.published < since)
    ]
    fitting.sort(key=lambda pair: (pair[0], pair[1].published or _NEVER), reverse=True)
    known = set(shown)
    chooser = _Chooser(limit)
    for _, item in fitting:
        key = story_key(item)
        if key not in known:
            chooser.offer(item, key)
    return chooser.stories


def story_key(item: FeedItem) -> str:
    """Return by what a story is remembered: its link without tracking, and its version if it is a page."""
    link = min(key for key in item_keys(item) if key.startswith("link "))
    return hashlib.sha256(f"{link}\n{item.version}".encode()).hexdigest()[:16]


class _Chooser:
    """Takes items one by one, each story once."""

    def __init__(self, limit: int) -> None:
        self.stories: list[Story] = []
        self._limit = limit
        self._by_key: dict[str, Story] = {}
        self._titles: list[tuple[frozenset[str], Story]] = []

    def offer(self, item: FeedItem, key: str) -> None:
        """Add an item, or note on the story that it repeats who else has it."""
        keys = item_keys(item)
        words = frozenset(folded(item.title).split())
        same = self._same(keys, words)
        if same is not None:
            if item.source not in (same.item.source, *same.also):
                same.also.append(item.source)
        elif len(self.stories) < self._limit:
            story = Story(item, key)
            self.stories.append(story)
            self._by_key |= dict.fromkeys(keys, story)
            self._titles.append((words, story))

    def _same(self, keys: set[str], words: frozenset[str]) -> Story | None:
        for key in keys:
            if key in self._by_key:
                return self._by_key[key]
        if len(words) < _FEWEST:
            return None
        return next((story for other, story in self._titles if _are_alike(words, other)), None)


def _are_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    if len(other) < _FEWEST or not _SAME <= len(one) / len(other) <= 1 / _SAME:
        return False
    # A number that differs makes another story: "Issue 12", "Issue 13".
    if {word for word in one ^ other if word.isdigit()}:
        return False
    return len(one & other) / len(one | other) >= _SAME
