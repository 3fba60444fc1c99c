"""The manifest of a backup: what is in it, of which version, with the SHA-256 of each file."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from pirunner.backup.faults import BackupFault

FORMAT = 1
MOST_BYTES = 256 * 1024 * 1024


class Entry(Struct, frozen=True, kw_only=True):
    """A file: its name in the archive, its size in bytes, and its SHA-256 (hex)."""

    name: str
    size: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a backup holds. ``missing`` are artifacts that the database knows and the disk had not."""

    format: int = FORMAT
    version: str
    made_at: datetime
    database: Literal["sqlite", "postgresql"]
    migrations: tuple[str, ...]
    rows: dict[str, int]
    entries: tuple[Entry, ...]
    missing: tuple[str, ...] = ()
    secrets: bool = False

    def counted(self, prefix: str) -> tuple[int, int]:
        """Return how many files there are below a name of the archive, and their bytes."""
        sizes = [entry.size for entry in self.entries if entry.name.startswith(prefix)]
        return len(sizes), sum(sizes)


def encode(manifest: Manifest) -> bytes:
    """Return the manifest as it stands in the archive."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)


def decode(raw: bytes) -> Manifest:
    """Return the manifest of an archive; raises ``BackupFault`` if it is none, or of a format that is not known."""
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupFault(f"The manifest of the backup cannot be read: {error}.") from None
    if manifest.format != FORMAT:
        raise BackupFault(f"The backup has format {manifest.format}, and this pirunner reads {FORMAT}: upgrade it.")
    return manifest
