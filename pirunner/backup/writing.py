"""Writing an archive: a tar with gzip, each file with its SHA-256, the file itself there whole or not at all."""

import gzip
import hashlib
import io
import os
import secrets
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pirunner.backup.manifest import Entry

LEVEL = 6
MODE = 0o600


class Archive:
    """A tar that is being written; ``entries`` are what is in it so far."""

    def __init__(self, output: BinaryIO) -> None:
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=output, mtime=0)
        self._tar = tarfile.open(fileobj=self._gzip, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115  (see close)
        self.entries: list[Entry] = []

    def add_file(self, name: str, file: BinaryIO) -> None:
        """Add an open file as it is now."""
        size = os.fstat(file.fileno()).st_size
        hashing = _Hashing(file)
        self._tar.addfile(_member(name, size), hashing)
        self.entries.append(Entry(name=name, size=size, sha256=hashing.digest.hexdigest()))

    def add_last(self, name: str, raw: bytes) -> None:
        """Add the manifest, which is in no list."""
        self._tar.addfile(_member(name, len(raw)), io.BytesIO(raw))

    def close(self) -> None:
        """Write the end."""
        self._tar.close()
        self._gzip.close()


class _Hashing(io.RawIOBase):
    """Reads a file, and hashes what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Yield a file that becomes ``target`` when all is written and on disk; nobody else may read it."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = MODE
    member.mtime = int(time.time())
    return member
