"""Taking a backup while pirunner runs."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from pirunner.backup import places
from pirunner.backup.faults import BackupFault
from pirunner.backup.manifest import Manifest, encode
from pirunner.backup.snapshot import Snapshot, take_snapshot
from pirunner.backup.writing import Archive, replacing
from pirunner.dotenv import env_file
from pirunner.version import version


def default_name(now: datetime) -> str:
    """Return a name for a backup of this moment."""
    return f"pirunner-{now:%Y%m%d-%H%M%S}.tar.gz"


def backup_to_file(target: Path, *, with_secrets: bool, force: bool) -> Manifest:
    """Write a backup to a file, which is there whole or not at all; raises ``BackupFault`` or ``OSError``."""
    if target.exists() and not force:
        raise BackupFault(f"{target} is there already: name another file, or say --force.")
    if not target.parent.is_dir():
        raise BackupFault(f"There is no folder {target.parent}.")
    with replacing(target) as output:
        return backup_to(output, with_secrets=with_secrets)


def backup_to(output: BinaryIO, *, with_secrets: bool) -> Manifest:
    """Write a backup to a stream; raises ``BackupFault``, ``DatabaseError`` or ``OSError``."""
    made_at = datetime.now(UTC)
    with _workplace() as folder:
        snapshot = take_snapshot(folder)
        archive = Archive(output)
        with snapshot.path.open("rb") as file:
            archive.add_file(snapshot.name, file)
    # The files after the database: what it knows was written before, and is never changed.
    missing = _add_artifacts(archive, snapshot)
    _add_folder(archive, settings.RUNNER_DATA_DIR / places.KEY, places.KEY)
    _add_folder(archive, settings.RUNNER_DATA_DIR / places.MANIFESTS, places.MANIFESTS)
    if with_secrets:
        _add_secrets(archive)
    manifest = Manifest(
        version=version(),
        made_at=made_at,
        database=snapshot.database,
        migrations=snapshot.migrations,
        rows=snapshot.rows,
        entries=tuple(archive.entries),
        missing=missing,
        secrets=with_secrets,
    )
    archive.add_last(places.MANIFEST, encode(manifest))
    archive.close()
    return manifest


@contextmanager
def _workplace() -> Iterator[Path]:
    """Yield a folder of our own beside the data, where there is room for a copy of the database."""
    folder = Path(tempfile.mkdtemp(prefix=places.BACKUP_PREFIX, dir=settings.RUNNER_DATA_DIR))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add_artifacts(archive: Archive, snapshot: Snapshot) -> tuple[str, ...]:
    """Add the files that the database knows; return those that are gone, because their jobs were deleted since."""
    missing = []
    for path in dict.fromkeys(snapshot.artifacts):
        try:
            with _opened(settings.DATA_DIR / path, settings.DATA_DIR) as file:
                archive.add_file(f"{places.ARTIFACTS}{path}", file)
        except FileNotFoundError:
            missing.append(path)
    return tuple(missing)


def _add_folder(archive: Archive, folder: Path, prefix: str) -> None:
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.name.startswith(".") or not path.is_file() or path.is_symlink():
            continue
        try:
            with _opened(path, folder) as file:
                archive.add_file(f"{prefix}{path.name}", file)
        except FileNotFoundError:
            continue  # a schedule was deleted meanwhile


def _add_secrets(archive: Archive) -> None:
    try:
        with env_file().open("rb") as file:
            archive.add_file(places.ENV, file)
    except OSError as error:
        raise BackupFault(f"The secrets in {env_file()} cannot be read: {error.strerror}.") from error


def _opened(path: Path, within: Path) -> BinaryIO:
    """Open a regular file that really lies in a folder; raises ``FileNotFoundError`` for anything else."""
    if not path.resolve().is_relative_to(within.resolve()):
        raise FileNotFoundError(path)
    file = path.open("rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FileNotFoundError(path)
    return file
