"""A walk through the admin: from page to page by its links, one page of each kind, each looked at twice."""

import re
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize, expect

SERIOUS = ("serious", "critical")
WIDE = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)
_NUMBER = re.compile(r"/\d+(?=/)")
_APP = re.compile(r"^/admin/(?!flower|installer|password_change)\w+/$")
_LEFT_OUT = re.compile(
    r"/admin/(flower/.|logout/|jobs/job/(acts|files)/"
    r"|django_celery_beat/(clocked|interval|solar)schedule/|django_celery_results/groupresult/)"
)
"""Flower's own pages, which are not ours to mend; what needs a form or a query; files; lists and forms of
django-celery's that are made as the crontabs' and are not in the sidebar."""
_LINKS = """() => [...document.querySelectorAll('a[href]')]
    .filter(link => link.origin === location.origin && !link.search.includes('_popup'))
    .map(link => link.pathname)"""
_TOO_WIDE = """() => {
    const most = innerWidth;
    if (document.scrollingElement.scrollWidth <= most) return [];
    return [...document.body.querySelectorAll('*')].filter(each => each.getBoundingClientRect().right > most)
        .slice(-3).map(each => each.outerHTML.slice(0, 120));
}"""
_RUN = 'axe.run({resultTypes: ["violations"], iframes: false}).then(({violations}) => violations)'
_SETTLED = """async () => {
    const moving = () => document.getAnimations().filter(
        each => each.playState === 'running' && each.effect.getTiming().iterations !== Infinity);
    do {
        await Promise.allSettled(moving().map(each => each.finished));
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
    } while (moving().length);
}"""
"""Waits for the end of transitions, and of those that they set off in what inherits."""


def kind_of(path: str) -> str:
    """Return the kind of page at an address: jobs 1 and 2 have pages of one kind, and so have all apps."""
    return _APP.sub("/admin/APP/", _NUMBER.sub("/N", path))


@dataclass
class Walk:
    """Which kinds of pages were seen, and what was wrong with them."""

    kinds: list[str] = field(default_factory=list)
    axe_wide: list[str] = field(default_factory=list)
    """What axe-core finds at 1440 px in light colours."""
    axe_phone: list[str] = field(default_factory=list)
    """What axe-core finds at 390 px in dark colours."""
    sideways: list[str] = field(default_factory=list)
    """Pages that scroll sideways at 390 px."""


class Walker:
    """Walks, in a page that is signed in."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.walk = Walk()

    def walk_from(self, start: str, besides: Collection[str]) -> Walk:
        """Look at one page of each kind that links lead to, and at those that differ by more than their path."""
        self._page.goto(start)
        self._switch_theme("light")  # it was "as the system has it"
        for address in besides:
            self._look_at(address)
        waiting, known = deque([start]), {start, *map(kind_of, besides)}
        while waiting:
            path = waiting.popleft()
            self._look_at(path)
            for found in self._page.evaluate(_LINKS):
                if found.startswith("/admin/") and not _LEFT_OUT.match(found) and kind_of(found) not in known:
                    known.add(kind_of(found))
                    waiting.append(found)
        return self.walk

    def _look_at(self, address: str) -> None:
        self._page.goto(address)
        self._page.evaluate(AXE_SCRIPT)
        self.walk.kinds.append(kind_of(address))
        self.walk.axe_wide += self._axe_findings()
        self._page.set_viewport_size(PHONE)
        self._switch_theme("dark")
        self.walk.sideways += [f"{address}: {element}" for element in self._page.evaluate(_TOO_WIDE)]
        self.walk.axe_phone += self._axe_findings()
        self._switch_theme("light")
        self._page.set_viewport_size(WIDE)

    def _switch_theme(self, expected: str) -> None:
        self._page.keyboard.press("Control+e")
        expect(self._page.locator(f"html.{expected}")).to_have_count(1)
        self._page.evaluate(_SETTLED)  # colours may fade over

    def _axe_findings(self) -> list[str]:
        violations = self._page.evaluate(_RUN)
        path = self._page.url.partition("/admin/")[2]
        return [f"/admin/{path}: {_told(each)}" for each in violations if each["impact"] in SERIOUS]


def _told(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    reasons = [check["message"] for check in nodes[0]["any"] + nodes[0]["all"] + nodes[0]["none"]]
    return f"{violation['id']} ({violation['impact']}), {len(nodes)} times: {nodes[0]['html'][:200]} {reasons[:1]}"
