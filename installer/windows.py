"""Whether a schedule's timer should run now. Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

from installer.schema import Manifest, Once
from installer.status import Stage

# A timer is started a little before its schedule begins: the installer looks only every so often.
EARLY = timedelta(minutes=2)
# And is stopped well after the end: a machine that was off then makes up for the last ring at boot (Persistent=).
LATE = timedelta(hours=1)


class Window(NamedTuple):
    """The stage of a manifest, and when that may change; None: with its next edit only."""

    stage: Stage
    until: datetime | None = None


def window(manifest: Manifest, now: datetime) -> Window:
    """Return whether its timer should be enabled (``installed``), and if not, why."""
    start = manifest.start
    end = manifest.when.at if isinstance(manifest.when, Once) else manifest.end
    if end and now > end + LATE:
        return Window(Stage.OVER)
    if not manifest.enabled:
        return Window(Stage.PAUSED)
    if start and not isinstance(manifest.when, Once) and now < start - EARLY:
        return Window(Stage.WAITING, start - EARLY)
    return Window(Stage.INSTALLED, end + LATE if end else None)
