"""From the manifests that are believed to the timers that should be there. Pure, but for the keys' fingerprint."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from installer.calendars import lines_of
from installer.inbox import Received
from installer.plan import Wanted
from installer.refusals import Refusal
from installer.schema import Manifest
from installer.status import Item, Stage
from installer.units import timer_name, timer_text
from installer.units_folder import sha256_of
from installer.windows import Window, window


@dataclass
class Wish:
    """What should be: the timers by name, the lines of each, what is told of each manifest, and when to look again."""

    timers: dict[str, Wanted] = field(default_factory=dict)
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    again_at: datetime | None = None

    @property
    def kept(self) -> frozenset[str]:
        """The timers of refused manifests: what was installed before stays as it is."""
        return frozenset(item.timer for item in self.items.values() if item.state is Stage.REFUSED)

    def refuse(self, id_: str, refusal: Refusal) -> None:
        """Leave a schedule as it was installed before, if it was, and say why."""
        name = timer_name(id_)
        self.timers.pop(name, None)
        self.items[id_] = Item(state=Stage.REFUSED, reason=refusal.code, message=refusal.message, timer=name)


def wish_of(received: Received, fingerprint: str, now: datetime) -> Wish:
    """Return what should be there now."""
    wish = Wish()
    for id_, refusal in received.refused.items():
        wish.refuse(id_, refusal)
    again: list[datetime | None] = []
    for manifest in received.manifests.values():
        try:
            again += _add(wish, manifest, fingerprint, now)
        except Refusal as refusal:
            wish.refuse(manifest.id, refusal)
    wish.again_at = min((moment for moment in again if moment), default=None)
    return wish


def _add(wish: Wish, manifest: Manifest, fingerprint: str, now: datetime) -> Iterable[datetime | None]:
    name = timer_name(manifest.id)
    try:
        found, (lines, renewed_at) = window(manifest, now), lines_of(manifest, now)
    except OverflowError:
        raise Refusal("not_expressible", "Its times are beyond the calendar.") from None
    if found.stage is Stage.OVER or not lines:
        wish.items[manifest.id] = Item(state=Stage.OVER)
        return ()
    text = timer_text(manifest.id, lines, fingerprint)
    wish.timers[name] = Wanted(text, sha256_of(text), found.stage is Stage.INSTALLED)
    wish.lines[name] = lines
    wish.items[manifest.id] = Item(state=found.stage, timer=name, message=_message(found, manifest))
    return found.until, renewed_at


def _message(found: Window, manifest: Manifest) -> str:
    return f"It begins at {manifest.start:%Y-%m-%d %H:%M:%S%z}." if found.stage is Stage.WAITING else ""
