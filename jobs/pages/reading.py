"""Reading many pages politely: robots.txt is honoured, hosts get their pauses, and each page ends as an outcome."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from jobs.charsets import decode_text
from jobs.outcomes import Failure
from jobs.pages.extraction import Article, read_article
from jobs.pages.fetching import PageFault, fetch_page
from jobs.pages.pacing import Pacer
from jobs.pages.robots import ALLOW_ALL, DISALLOW_ALL, MOST_BYTES, Rules, rules_of_answer
from webhooks.egress import CheckedClient, EgressError, TooManyRedirects

PRODUCT = "pirunner"
"""How we are called in robots.txt."""


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """What came of one address: an article or a failure, and the milliseconds it took, pauses not counted."""

    url: str
    ms: int
    article: Article | None = None
    failure: Failure | None = None


@dataclass(slots=True)
class PageReader:
    """Reads pages one after the other; ``sleep`` is the handler's, so that a cancel wakes it."""

    client: CheckedClient
    sleep: Callable[[float], None]
    pacer: Pacer
    _sites: dict[str, Rules | PageFault] = field(default_factory=dict)

    def read(self, urls: Sequence[str]) -> Iterator[PageOutcome]:
        """Yield the outcome of each address, those of hosts that must not be asked yet later than others."""
        waiting = list(urls)
        while waiting:
            now = time.monotonic()
            url = min(waiting, key=lambda each: self.pacer.wait_for(origin_of(each), now))
            waiting.remove(url)
            if pause := self.pacer.wait_for(origin_of(url), now):
                self.sleep(pause)
            yield self._read(url)

    def _read(self, url: str) -> PageOutcome:
        begun = time.monotonic()
        origin = origin_of(url)
        try:
            rules = self._rules(origin)
            self._insist_on_permission(rules, url)
            page = fetch_page(self.client, url)
            self.pacer.note(origin, time.monotonic(), rules.crawl_delay)
            if origin_of(page.url) != origin or urlsplit(page.url).path != urlsplit(url).path:
                self._insist_on_permission(self._rules(origin_of(page.url)), page.url)
            return PageOutcome(url, _ms_since(begun), article=read_article(page))
        except PageFault as fault:
            if fault.status is not None:
                self.pacer.note(origin, time.monotonic())
            failure = Failure(fault.code, str(fault), not fault.permanent, fault.retry_after)
            return PageOutcome(url, _ms_since(begun), failure=failure)

    def _insist_on_permission(self, rules: Rules, url: str) -> None:
        if not rules.allow(url):
            raise PageFault(
                "robots_disallowed", "The site's robots.txt does not let programs read this page.", permanent=True
            )

    def _rules(self, origin: str) -> Rules:
        """Return the rules of a site, read once; raises ``PageFault`` when it cannot say them, so nothing is read."""
        if origin not in self._sites:
            self._sites[origin] = self._fetch_rules(origin)
        known = self._sites[origin]
        if isinstance(known, PageFault):
            raise known
        return known

    def _fetch_rules(self, origin: str) -> Rules | PageFault:
        try:
            answer = self.client.limited(max_bytes=MOST_BYTES, truncate=True).get(f"{origin}/robots.txt")
        except TooManyRedirects:
            return ALLOW_ALL
        except EgressError as error:
            return PageFault(error.code, str(error), permanent=error.permanent)
        text = decode_text(answer.body) if answer.status < 300 else ""
        rules = rules_of_answer(answer.status, text, PRODUCT)
        if rules is DISALLOW_ALL:
            sentence = f"The site's robots.txt cannot be read now ({answer.status}), so its pages are left alone."
            return PageFault("robots_unreachable", sentence, permanent=False)
        return rules


def origin_of(url: str) -> str:
    """Return the scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _ms_since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
