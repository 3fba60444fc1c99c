"""Putting a backup back: checked before anything is touched, the old data moved aside and never deleted."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from pirunner import running
from pirunner.backup import places, postgres
from pirunner.backup.faults import BackupFault
from pirunner.backup.manifest import Manifest
from pirunner.backup.reading import unpack
from pirunner.backup.snapshot import check_sqlite
from pirunner.backup.writing import sync_folder
from pirunner.dotenv import env_file, replace_text
from pirunner.locks import Held, holding
from schedules.leader import leader_lock


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back: where the old data is now, how many migrations were applied, and whether the secrets are."""

    manifest: Manifest
    aside: str
    migrated: int
    secrets: bool


def restore(source: BinaryIO, *, force: bool, with_secrets: bool) -> Restored:
    """Put a backup back; raises ``BackupFault``, and then the data is as it was unless the sentence says otherwise."""
    data_dir = Path(settings.RUNNER_DATA_DIR)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(data_dir), _staging(data_dir) as staged:
        manifest = unpack(source, staged)
        _check_database(manifest, staged)
        if with_secrets and not manifest.secrets:
            raise BackupFault("The backup holds no secrets: leave out --with-secrets.")
        if not force and (there := _what_is_there(with_secrets=with_secrets)):
            raise BackupFault(f"There is data already: {there}. With --force it is moved aside, and kept.")
        aside = data_dir / f"{places.ASIDE_PREFIX}{datetime.now(UTC):%Y%m%d-%H%M%S}"
        moved = _move_aside(aside, with_secrets=with_secrets)
        try:
            _put_in_place(manifest, staged, with_secrets=with_secrets)
            migrated = _migrate()
        except (BackupFault, DatabaseError, OSError) as error:
            kept = f" What was there is in {moved}." if moved else ""
            raise BackupFault(f"The restore came to no end, mend this and repeat it: {error}.{kept}") from error
    return Restored(manifest, moved, migrated, with_secrets)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Make sure that pirunner does not run, and cannot be started meanwhile."""
    run = data_dir / "run"
    run.mkdir(exist_ok=True)
    leader = leader_lock()
    with ExitStack() as held:
        try:
            held.enter_context(holding(run / "up.lock"))
        except Held:
            raise BackupFault(f"pirunner runs on {data_dir}: stop it first.") from None
        if not leader.hold():
            raise BackupFault("A clock works on this database: stop pirunner on every machine first.")
        held.callback(leader.release)
        if running.health() is not None:
            raise BackupFault(
                f"A pirunner answers on port {settings.PORT}: stop it first, or set PORT if it is another one."
            )
        yield


@contextmanager
def _staging(data_dir: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=places.RESTORE_PREFIX, dir=data_dir))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_database(manifest: Manifest, staged: Path) -> None:
    if manifest.database != connection.vendor:
        raise BackupFault(
            f"The backup is of {manifest.database}, and this configuration uses {connection.vendor}: "
            "set or unset DATABASE_URL."
        )
    if unknown := unknown_migrations(manifest.migrations):
        raise BackupFault(
            f"The backup is newer than this pirunner (it was made by {manifest.version}): upgrade first. "
            f"Unknown here: {', '.join(unknown[:3])}."
        )
    if manifest.database == "sqlite":
        path = staged / places.SQLITE
        if not path.exists():
            raise BackupFault("The backup holds no database.")
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                check_sqlite(database)
        except sqlite3.Error as error:
            raise BackupFault(f"The database in the backup cannot be read: {error}.") from None


def unknown_migrations(names: tuple[str, ...]) -> list[str]:
    """Return those of the migrations that this version does not have, of the apps that it has."""
    migrations = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    known = {*migrations, *(replaced for migration in migrations.values() for replaced in migration.replaces)}
    apps = {app for app, _ in known}
    split = [(name.partition(".")[0], name.partition(".")[2]) for name in names]
    return [f"{app}.{name}" for app, name in split if app in apps and (app, name) not in known]


def _database_file() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def _what_is_there(*, with_secrets: bool) -> str:
    """Return what a restore would replace, "" for nothing."""
    data_dir = Path(settings.RUNNER_DATA_DIR)
    there = [str(path) for path in _old_files() if path.exists() and path.stat().st_size]
    there += [str(path) for path in (settings.DATA_DIR, data_dir / places.KEY) if path.is_dir() and any(path.iterdir())]
    if connection.vendor == "postgresql" and connection.introspection.table_names():
        there.append("tables in the database")
    if with_secrets and env_file().exists():
        there.append(str(env_file()))
    return ", ".join(there)


def _old_files() -> list[Path]:
    if connection.vendor != "sqlite":
        return []
    file = _database_file()
    return [file, *(file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm"))]


def _move_aside(aside: Path, *, with_secrets: bool) -> str:
    """Move what is there to a folder of its own; return where it is, "" if there was nothing."""
    connection.close()
    moved = []
    for path in _old_files():
        moved += _move(path, aside / path.name)
    data_dir = Path(settings.RUNNER_DATA_DIR)
    for folder, name in ((settings.DATA_DIR, places.ARTIFACTS), *((data_dir / each, each) for each in _KEPT)):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            moved += _move(path, aside / name / path.name)
    if with_secrets:
        moved += _move(env_file(), aside / "env")
    places_now = [str(aside)] if moved else []
    if connection.vendor == "postgresql" and connection.introspection.table_names():
        places_now.append(f"schema {_move_schema_aside(aside.name)}")
    return ", ".join(places_now)


_KEPT = (places.KEY, places.MANIFESTS)


def _move(path: Path, target: Path) -> list[Path]:
    if not path.exists():
        return []
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.move(path, target)
    return [target]


def _move_schema_aside(name: str) -> str:
    schema = name.replace("-", "_")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'ALTER SCHEMA public RENAME TO "{schema}"')
        cursor.execute("CREATE SCHEMA public")
    return schema


def _put_in_place(manifest: Manifest, staged: Path, *, with_secrets: bool) -> None:
    data_dir = Path(settings.RUNNER_DATA_DIR)
    _put_folder(staged / places.ARTIFACTS, settings.DATA_DIR)
    for name in _KEPT:
        _put_folder(staged / name, data_dir / name)
    if with_secrets:
        replace_text(env_file(), (staged / places.ENV).read_text(encoding="utf-8"))
    if manifest.database == "postgresql":
        postgres.load(staged / places.POSTGRES)
        return
    file = _database_file()
    shutil.move(staged / places.SQLITE, file)
    sync_folder(file.parent)


def _put_folder(staged: Path, target: Path) -> None:
    if not staged.is_dir():
        return
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in sorted(staged.iterdir()):
        shutil.move(path, target / path.name)
    sync_folder(target)


def _migrate() -> int:
    """Bring an older database up to date; return how many migrations were applied."""
    connection.close()
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        call_command("migrate", interactive=False, verbosity=0)
    connection.close()
    return len(plan)
