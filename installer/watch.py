"""Syncing again and again: a cheap look every so often, a whole sync when something may be different."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from installer.config import Config
from installer.manifests import FOLDER, INDEX_FILE
from installer.status import HEARTBEAT
from installer.sync import Busy, Outcome, Say, Syncer

Report = Callable[[Outcome, Outcome | None], None]
Seen = tuple[tuple[int, int, int] | None, ...]


@dataclass
class Watch:
    """Syncs until it is told to stop. ``report`` is given each outcome that is worth a line."""

    syncer: Syncer
    say: Say

    def run(self, over: threading.Event, report: Report) -> None:
        """Look every ``poll_seconds``; a stop is heeded between two syncs."""
        seen: Seen = ()
        last: Outcome | None = None
        synced_at = -HEARTBEAT
        while not over.is_set():
            found = look(self.syncer.config)
            if found != seen or time.monotonic() - synced_at >= HEARTBEAT or _is_due(last):
                outcome = self._sync()
                if outcome:
                    report(outcome, last)
                    last, synced_at = outcome, time.monotonic()
                    seen = self._seen(found, outcome)
            over.wait(self.syncer.config.poll_seconds)

    def _seen(self, found: Seen, outcome: Outcome) -> Seen:
        """Return what need not be looked at again: what was found before, and its own changes to the units."""
        if outcome.status.problem:
            return ()
        return (*found[:-1], look(self.syncer.config)[-1]) if outcome.changed else found

    def _sync(self) -> Outcome | None:
        try:
            return self.syncer.sync()
        except Busy as busy:
            self.say(str(busy))
            return None


def look(config: Config) -> Seen:
    """Return what tells that something was put in or taken out, or that the index was written."""
    manifests = config.data_dir / FOLDER
    return tuple(map(_stamp, (manifests, manifests / INDEX_FILE, config.units_dir)))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _is_due(last: Outcome | None) -> bool:
    if last is None:
        return True
    return bool(last.again_at and datetime.now(UTC) >= last.again_at)
