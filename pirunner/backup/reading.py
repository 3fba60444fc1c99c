"""Reading an archive that may be damaged or made by an enemy: nothing leaves the folder that it is unpacked into."""

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pirunner.backup import places
from pirunner.backup.faults import BackupFault
from pirunner.backup.manifest import MOST_BYTES, Manifest, decode
from pirunner.wording import size

CHUNK = 1024 * 1024
_FILES = frozenset({places.SQLITE, places.POSTGRES, places.ENV, places.MANIFEST})
_FOLDERS = (places.ARTIFACTS, places.KEY, places.MANIFESTS)


def unpack(source: BinaryIO, folder: Path) -> Manifest:
    """Unpack an archive into an empty folder, and check every file against the manifest; raises ``BackupFault``."""
    found: dict[str, tuple[int, str]] = {}
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as unzipped, tarfile.open(fileobj=unzipped, mode="r|") as tar:
            for member in tar:
                _check_member(member, found, folder)
                found[member.name] = _unpack_member(tar, member, folder)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BackupFault(f"This is no backup, or it is damaged: {error}.") from None
    if places.MANIFEST not in found:
        raise BackupFault("This is no backup, or its end is missing: it has no manifest.")
    manifest = decode((folder / places.MANIFEST).read_bytes())
    _compare(manifest, {name: about for name, about in found.items() if name != places.MANIFEST})
    return manifest


def name_fault(name: str) -> str:
    """Return why a name must not be in a backup, "" if it may."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name or not name.isprintable() or "\\" in name:
        return "it leads out of the backup"
    if name in _FILES or (name.startswith(_FOLDERS) and len(path.parts) > 1):
        return ""
    return "a backup holds no such thing"


def _check_member(member: tarfile.TarInfo, found: dict[str, tuple[int, str]], folder: Path) -> None:
    fault = name_fault(member.name)
    if not member.isreg():
        fault = fault or "it is no plain file"
    elif member.name in found:
        fault = "it is there twice"
    elif member.name == places.MANIFEST and member.size > MOST_BYTES:
        fault = "it is too large"
    if fault:
        raise BackupFault(f"The backup is refused: {member.name[:100]!r}: {fault}.")
    if member.size > (free := shutil.disk_usage(folder).free):
        raise BackupFault(f"There is no room for {member.name}: {size(member.size)}, and {size(free)} are free.")


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> tuple[int, str]:
    """Write a file, and return its size and SHA-256."""
    target = folder / member.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = tar.extractfile(member)
    if content is None:
        raise BackupFault(f"The backup is refused: {member.name!r} is no plain file.")
    digest, length = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            length += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return length, digest.hexdigest()


def _compare(manifest: Manifest, found: dict[str, tuple[int, str]]) -> None:
    named = {entry.name: (entry.size, entry.sha256) for entry in manifest.entries}
    if damaged := sorted(name for name in named.keys() | found.keys() if named.get(name) != found.get(name)):
        raise BackupFault(f"The backup is damaged: {', '.join(damaged[:5])} is not what its manifest says.")
