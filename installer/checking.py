"""The last check before a unit is put in place: systemd's own, on copies that it cannot have heard of."""

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from installer import systemd
from installer.files import Folder
from installer.plan import Wanted
from installer.refusals import Refusal
from installer.units import SERVICE
from installer.wanting import Wish

_COPIES = "checked-"


def sweep_copies(own: Folder) -> None:
    """Take away the copies of who was killed; only for who holds the folder's lock."""
    for name in own.names():
        if name.startswith(_COPIES):
            shutil.rmtree(own.path / name)


def check(wish: Wish, names: Iterable[str], service: str, own: Folder) -> dict[str, Refusal]:
    """Return the timers that systemd does not take, with the reasons; raises ``Refusal`` if the service is one.

    Nothing is checked where there is no ``systemd-analyze``.
    """
    names = list(names)
    if not systemd.can_analyze():
        return {}
    refused = _by_calendar(wish, names)
    left = {name: wish.timers[name] for name in names if name not in refused}
    return refused | _by_unit(left, service, own)


def _by_calendar(wish: Wish, names: Iterable[str]) -> dict[str, Refusal]:
    every = list(dict.fromkeys(line for name in names for line in wish.lines[name]))
    bad = systemd.refused_lines(every)
    culprits = {name: bad.intersection(wish.lines[name]) for name in names}
    return {
        name: Refusal("not_expressible", f"systemd does not read the calendar {min(lines)}.")
        for name, lines in culprits.items()
        if lines
    }


def _by_unit(timers: Mapping[str, Wanted], service: str, own: Folder) -> dict[str, Refusal]:
    folder = Path(tempfile.mkdtemp(prefix=_COPIES, dir=own.path))
    try:
        (folder / SERVICE).write_text(service)
        for name, timer in timers.items():
            (folder / name).write_text(timer.text)
        if systemd.refused_units([folder / SERVICE]):
            raise Refusal("bad_service", f"systemd-analyze verify finds fault with {SERVICE}.")
        bad = systemd.refused_units([folder / name for name in timers])
    finally:
        shutil.rmtree(folder)
    return {name: Refusal("not_expressible", "systemd-analyze verify finds fault with its timer.") for name in bad}
