"""Time zones by their IANA names."""

import difflib
import re
import zoneinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", re.ASCII)
# Files of a machine's zone database that are no zones of IANA's; right/ counts leap seconds.
_NO_NAME = ("localtime", "posixrules", "Factory", "posix/", "right/")
_SUGGESTIONS = 3
_LONGEST_NAME = 64


class UnknownZone(ValueError):
    """There is no such time zone; ``nearest`` are the names, if any, that its writer may have meant."""

    def __init__(self, name: str, nearest: list[str]) -> None:
        meant = f" Did you mean {' or '.join(nearest)}?" if nearest else " Europe/Berlin is one."
        super().__init__(f"{name[:_LONGEST_NAME]!r} is no IANA time zone.{meant}")
        self.name = name
        self.nearest = nearest


def find_zone(name: str) -> ZoneInfo:
    """Return the zone of a name, in IANA's spelling. Raises ``UnknownZone``."""
    if len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) and not name.startswith(_NO_NAME):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # no such file, no zone in it, or a folder
            pass
    raise UnknownZone(name, nearest_names(name))


def nearest_names(name: str) -> list[str]:
    """Return up to three names like this one: in other letters, then of that city, then of a similar spelling."""
    wanted = _plain(name[:_LONGEST_NAME])
    names = _names()
    same = [names[wanted]] if wanted in names else []
    of_that_city = sorted(known for plain, known in names.items() if plain.rpartition("/")[2] == wanted)
    similar = [names[plain] for plain in difflib.get_close_matches(wanted, names, _SUGGESTIONS)]
    return list(dict.fromkeys([*same, *of_that_city, *similar]))[:_SUGGESTIONS]


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Return IANA's names by their plain spelling. Etc/GMT+2 is two hours behind UTC and never what was meant."""
    known = zoneinfo.available_timezones()
    return {_plain(name): name for name in sorted(known) if not name.startswith((*_NO_NAME, "Etc/GMT"))}


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
