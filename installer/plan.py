"""What has to be done so that systemd has the timers it should have. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from installer.state import Applied


class Wanted(NamedTuple):
    """A timer as it should be."""

    text: str
    sha256: str
    enabled: bool


class Found(StrEnum):
    """Whose file has the name of one of our timers."""

    OURS = "ours"
    FOREIGN = "foreign"


class Present(NamedTuple):
    """A file that is there under a timer's name."""

    found: Found
    sha256: str


@dataclass(frozen=True)
class Plan:
    """Names of timers: which to stop and disable, remove, write, enable and start; ``foreign`` are left alone."""

    disable: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    enable: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def touched(self) -> frozenset[str]:
        """All that is about to change."""
        return frozenset((*self.disable, *self.remove, *self.write, *self.enable))


def plan(
    wanted: Mapping[str, Wanted],
    kept: frozenset[str],
    present: Mapping[str, Present],
    applied: Mapping[str, Applied],
) -> Plan:
    """Return what to do, in the order of the names.

    ``kept`` are timers whose manifest is refused: what was installed of them before stays as it is.
    """
    foreign = {name for name in wanted if name in present and present[name].found is Found.FOREIGN}
    changed = {
        name: timer
        for name, timer in wanted.items()
        if name not in foreign and not _is_done(timer, present.get(name), applied.get(name))
    }
    gone = {
        name for name, file in present.items() if file.found is Found.OURS and name not in wanted and name not in kept
    }
    write = {name for name, timer in changed.items() if name not in present or present[name].sha256 != timer.sha256}
    enable = {name for name, timer in changed.items() if timer.enabled}
    # What has never been here is neither running nor enabled.
    disable = {name for name in changed if name in present} - enable | gone
    return Plan(*(tuple(sorted(names)) for names in (disable, gone, write, enable, foreign)))


def _is_done(timer: Wanted, file: Present | None, applied: Applied | None) -> bool:
    return file is not None and file.sha256 == timer.sha256 and applied == Applied(timer.sha256, timer.enabled)
