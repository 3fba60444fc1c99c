"""What systemd itself says of calendar lines: many lines in one call of its own program."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pytest

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
MOST_AT_ONCE = 400
_ELAPSE = re.compile(r"(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC")


def systemd_fires(texts: Iterable[str], after: datetime, until: datetime, count: int) -> set[datetime]:
    """When systemd would ring, after one instant and to another, in the first so many of each line."""
    found = first_fires(list(texts), after, count)
    assert all(len(fires) < count or fires[-1] >= until for fires in found), "not enough were asked for"
    return {fire for fires in found for fire in fires if fire <= until}


def first_fires(texts: Sequence[str], after: datetime, count: int) -> list[list[datetime]]:
    """The first so many rings of each line later than an instant."""
    found = []
    for first in range(0, len(texts), MOST_AT_ONCE):
        some = texts[first : first + MOST_AT_ONCE]
        base = f"--base-time={after:%Y-%m-%d %H:%M:%S} UTC"
        command = ["systemd-analyze", "calendar", base, f"--iterations={count}", *some]
        environment = {"TZ": "UTC", "PATH": "/usr/bin:/bin"}
        said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
        parts = said.split("Normalized form:")[1:]
        assert len(parts) == len(some)
        found += [[fire for fire in map(_instant, _ELAPSE.findall(part)) if fire > after] for part in parts]
    return found


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
