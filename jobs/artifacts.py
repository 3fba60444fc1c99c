"""Files that jobs write: atomically, below ``DATA_DIR``, never outside it whatever a name says."""

import hashlib
import os
import re
import shutil
from pathlib import Path

from django.conf import settings

from jobs.contract import StoredArtifact

NAME_LENGTH = 120
_FORBIDDEN = re.compile(r"[^A-Za-z0-9._-]+")


def safe_name(name: str) -> str:
    """Return a file name made of letters, digits, ``.``, ``_`` and ``-``, never hidden and never empty."""
    stem = _FORBIDDEN.sub("-", name).lstrip(".-")[:NAME_LENGTH]
    return stem or "artifact"


def write_artifact(*, job_id: int, run: int, name: str, raw: bytes, media_type: str) -> StoredArtifact:
    """Write a file of a run so that it is there whole or not at all, also after a power cut.

    Raises ``OSError`` when the disk is full or read-only.
    """
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


def folder_of(job_id: int) -> Path:
    """Return the folder that holds all artifacts of a job."""
    return settings.DATA_DIR / str(job_id)


def delete_folder(job_id: int) -> None:
    """Delete all files of a job; it is no error if there are none."""
    shutil.rmtree(folder_of(job_id), ignore_errors=True)


def _replace(target: Path, raw: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable: a file's name lives in its folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
