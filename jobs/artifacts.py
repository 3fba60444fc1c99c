"""Files that jobs write: atomically, below ``DATA_DIR``, never outside it whatever a name says."""

import hashlib
import os
import re
import shutil
import stat
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from jobs.contract import StoredArtifact
from jobs.models import Artifact

NAME_LENGTH = 120
CHUNK = 64 * 1024
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9._-]+")
_MEDIA_TYPE = re.compile(r"(?=.{3,100}\Z)[!-~]+/[!-~]+( *;[ -~]*)?")
"""What fits the column, and a header of HTTP."""


def safe_name(name: str) -> str:
    """Return a file name made of letters, digits, ``.``, ``_`` and ``-``, never hidden and never empty."""
    stem = _FORBIDDEN.sub("-", name).lstrip(".-")[:NAME_LENGTH]
    return stem or "artifact"


def write_artifact(*, job_id: int, run: int, name: str, raw: bytes, media_type: str) -> StoredArtifact:
    """Write a file of a run so that it is there whole or not at all, also after a power cut.

    Raises ``OSError`` when the disk is full or read-only, ``ValueError`` for a media type that is none.
    """
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise ValueError(f"{media_type[:80]!r} is no media type of at most 100 characters, like text/plain.")
    folder = folder_of(job_id) / str(run)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / safe_name(name)
    _replace(target, raw)
    return StoredArtifact(
        name=target.name,
        media_type=media_type,
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        path=str(target),
    )


def open_artifact(artifact: Artifact) -> BinaryIO:
    """Open the file of an artifact; raises ``OSError`` when it is gone, or is not what the job wrote."""
    path = (settings.DATA_DIR / artifact.path).resolve()
    if not path.is_relative_to(settings.DATA_DIR.resolve()):
        raise FileNotFoundError(path)
    file = path.open("rb")
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode) or found.st_size != artifact.size:
        file.close()
        raise FileNotFoundError(path)
    return file


class FilePart:
    """The bytes of an open file from ``first`` to before ``end``, in chunks; it closes the file."""

    def __init__(self, file: BinaryIO, first: int, end: int) -> None:
        file.seek(first)
        self._file = file
        self._left = end - first

    def __iter__(self) -> "FilePart":
        return self

    def __next__(self) -> bytes:
        chunk = self._file.read(min(self._left, CHUNK))
        if not chunk:
            self.close()
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Close the file; the server calls it when the client has gone."""
        self._file.close()


def folder_of(job_id: int) -> Path:
    """Return the folder that holds all artifacts of a job."""
    return settings.DATA_DIR / str(job_id)


def delete_folder(job_id: int) -> None:
    """Delete all files of a job; it is no error if there are none."""
    shutil.rmtree(folder_of(job_id), ignore_errors=True)


def is_folder_of_job(folder: Path) -> bool:
    """Return whether a folder looks as those that jobs make: named by a number, nothing in it but folders of runs."""
    if not _is_numbered(folder):
        return False
    try:
        return all(map(_is_numbered, folder.iterdir()))
    except OSError:
        return False


def _is_numbered(folder: Path) -> bool:
    return _NUMBER.fullmatch(folder.name) is not None and folder.is_dir() and not folder.is_symlink()


def _replace(target: Path, raw: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)  # a full disk is not to be filled with halves of files
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable: a file's name lives in its folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
