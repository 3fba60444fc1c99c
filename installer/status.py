"""What the installer tells of itself: a file below the data folder, which it writes and the API reads.

    status = read_status(settings.RUNNER_DATA_DIR)      # None: no installer has run here
    status.is_silent(now)                               # it has not been heard of for 15 minutes

A sync that changes nothing writes it only every ``HEARTBEAT`` seconds, to spare the card.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from installer.files import Folder
from installer.refusals import Refusal
from installer.state import Counters

FILE = "systemd-status.json"
HEARTBEAT = 300.0
SILENT_AFTER = timedelta(minutes=15)
MOST_BYTES = 16 * 1024 * 1024


class Stage(StrEnum):
    """What has become of a manifest."""

    INSTALLED = "installed"
    PAUSED = "paused"
    WAITING = "waiting"  # its start is in the future
    OVER = "over"  # its end is in the past
    REFUSED = "refused"
    FAILED = "failed"


class Item(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=False):
    """One manifest: what became of it, why, and when systemd will ring for it, where that is known."""

    state: Stage
    reason: str = ""
    message: str = ""
    timer: str = ""
    next_elapse_at: datetime | None = None


class Status(Struct, frozen=True, kw_only=True, rename="camel"):
    """The last sync. ``problem`` is a sentence if it could not be done, "" otherwise."""

    last_sync_at: datetime
    apply: bool
    problem: str = ""
    fingerprint: str = ""
    sequence: int = 0
    checked: bool = False  # by systemd-analyze
    warnings: tuple[str, ...] = ()
    manifests: dict[str, Item] = msgspec.field(default_factory=dict)
    strays: tuple[str, ...] = ()
    stray_count: int = 0
    counters: Counters = Counters()
    version: int = 1

    def is_silent(self, now: datetime) -> bool:
        """Return whether the installer has not been heard of for too long."""
        return now - self.last_sync_at > SILENT_AFTER

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON's values, with names in camelCase."""
        value: dict[str, object] = msgspec.to_builtins(self)
        return value


def read_status(data_dir: Path) -> Status | None:
    """Return what the installer wrote last; None if it never did, or wrote what cannot be read."""
    try:
        with Folder(data_dir) as folder:
            return msgspec.json.decode(folder.read(FILE, most=MOST_BYTES), type=Status)
    except (OSError, Refusal, msgspec.MsgspecError):
        return None


def write_status(folder: Folder, status: Status) -> None:
    """Put it in place for everybody to read."""
    folder.write(FILE, msgspec.json.encode(status), mode=0o644)
