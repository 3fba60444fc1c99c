"""robots.txt by RFC 9309: which paths a site lets crawlers read, and how fast. Text in, decisions out.

Python's own ``urllib.robotparser`` takes the first rule that fits and knows no ``*`` and ``$``; the standard (and
every large site) means the longest one, with them.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

MOST_BYTES = 500 * 1024
"""What the standard asks a crawler to read at least; the rest of a longer file is not looked at."""
_MOST_RULES = 5000
_PRODUCT = re.compile(r"[A-Za-z_-]+")
_UNQUOTED = "/~:!$&'()*+,;=@-._"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one site for us: (path pattern, allowed) pairs, and the seconds between two requests it asks for."""

    paths: tuple[tuple[str, bool], ...] = ()
    crawl_delay: float | None = None

    def allow(self, url: str) -> bool:
        """Return whether a URL of the site may be read: the longest pattern decides, in doubt it may."""
        parts = urlsplit(url)
        place = _normal(parts.path or "/") + (f"?{_normal(parts.query)}" if parts.query else "")
        if place == "/robots.txt":
            return True
        fitting = [(len(pattern), allowed) for pattern, allowed in self.paths if _fits(pattern, place)]
        return max(fitting)[1] if fitting else True


ALLOW_ALL = Rules()
DISALLOW_ALL = Rules((("/", False),))


def parse_robots(text: str, product: str) -> Rules:
    """Return the rules for a crawler by its product token, those for ``*`` when none are for it."""
    groups = _groups(text)
    own = product.lower()
    chosen = [group for group in groups if own in group.products]
    chosen = chosen or [group for group in groups if "*" in group.products]
    paths = tuple(rule for group in chosen for rule in group.paths)
    delays = [group.delay for group in chosen if group.delay is not None]
    return Rules(paths[:_MOST_RULES], max(delays) if delays else None)


def rules_of_answer(status: int, text: str, product: str) -> Rules:
    """Return what an answer to the request for robots.txt means (RFC 9309, section 2.3.1).

    4xx: there are no rules. 5xx and whatever else is no answer: the site is not to be read for now.
    """
    if 200 <= status < 300:
        return parse_robots(text, product)
    return ALLOW_ALL if 400 <= status < 500 and status != 429 else DISALLOW_ALL


class _Group:
    def __init__(self) -> None:
        self.products: set[str] = set()
        self.paths: list[tuple[str, bool]] = []
        self.delay: float | None = None
        self.has_rules = False


def _groups(text: str) -> list[_Group]:
    groups: list[_Group] = []
    for line in text.removeprefix("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        if colon:
            _read_line(groups, key.strip().lower(), value.strip())
    return groups


def _read_line(groups: list[_Group], key: str, value: str) -> None:
    if key == "user-agent":
        if not groups or groups[-1].has_rules:
            groups.append(_Group())
        groups[-1].products.add(_product(value))
    elif groups and key in {"allow", "disallow"}:
        groups[-1].has_rules = True
        if value:
            groups[-1].paths.append((_normal(value), key == "allow"))
    elif groups and key == "crawl-delay":
        groups[-1].has_rules = True
        groups[-1].delay = _seconds(value)


def _product(value: str) -> str:
    """Return the product token of a user agent: ``Pirunner/2.0 (+https://...)`` is ``pirunner``."""
    if value.startswith("*"):
        return "*"
    token = _PRODUCT.match(value)
    return token[0].lower() if token else ""


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _normal(part: str) -> str:
    """Return a path in one spelling, so that ``/a%20b`` and ``/a b`` are the same."""
    return quote(unquote(part, errors="surrogateescape"), safe=_UNQUOTED + "?", errors="surrogateescape")


def _fits(pattern: str, place: str) -> bool:
    """Return whether a pattern fits; ``*`` is any text, a final ``$`` the end. Each piece is looked for once."""
    whole = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not place.startswith(first):
        return False
    at = len(first)
    last = others.pop() if whole and others else None
    for piece in others:
        found = place.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if not whole:
        return True
    return at == len(place) if last is None else place.endswith(last) and len(place) - len(last) >= at
