"""The database at one instant, while others go on writing to it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from django.db import connection, transaction

from pirunner.backup import places, postgres
from pirunner.backup.faults import BackupFault

COUNTED = {"jobs": "jobs_job", "schedules": "schedules_schedule", "deliveries": "webhooks_delivery"}
_MIGRATIONS = "SELECT app || '.' || name FROM django_migrations ORDER BY app, name"
_ARTIFACTS = "SELECT path FROM jobs_artifact ORDER BY id"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of the database, its name in the archive, and what it says is to be kept with it."""

    path: Path
    name: str
    database: Literal["sqlite", "postgresql"]
    migrations: tuple[str, ...]
    artifacts: tuple[str, ...]
    rows: dict[str, int]


def take_snapshot(folder: Path) -> Snapshot:
    """Copy the database into a folder; raises ``BackupFault``, ``DatabaseError`` or ``OSError``."""
    return _postgres(folder) if connection.vendor == "postgresql" else _sqlite(folder)


def _sqlite(folder: Path) -> Snapshot:
    source = Path(str(connection.settings_dict["NAME"]))
    if not source.exists():
        raise BackupFault(f"There is no database at {source}; there is nothing to back up.")
    path = folder / "pirunner.sqlite3"
    try:
        copy_sqlite(source, path)
        with closing(sqlite3.connect(path)) as copy:
            check_sqlite(copy)
            return _described(path, places.SQLITE, "sqlite", lambda sql: copy.execute(sql).fetchall())
    except sqlite3.Error as error:
        raise BackupFault(f"The database cannot be copied: {error}. Look at it with manage.py doctor.") from error


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database that is in use, as it is at one instant, into one file; nobody waits for it."""
    with closing(sqlite3.connect(source, timeout=20)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)  # in one step: a reader of the write-ahead log holds nobody up
        copy.execute("PRAGMA journal_mode=DELETE")


def check_sqlite(database: sqlite3.Connection) -> None:
    """Raise ``BackupFault`` if a database is damaged."""
    lines = [line for (line,) in database.execute("PRAGMA integrity_check(1)")]
    if lines != ["ok"]:
        raise BackupFault(f"The database is damaged: {lines[0]}")


def _postgres(folder: Path) -> Snapshot:
    path = folder / "pirunner.pgdump"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (name,) = cursor.fetchone() or ("",)

        def read(sql: str) -> list[Any]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        described = _described(path, places.POSTGRES, "postgresql", read)
        postgres.dump(path, str(name))  # it sees what we see
    return described


def _described(
    path: Path, name: str, database: Literal["sqlite", "postgresql"], read: Callable[[str], list[Any]]
) -> Snapshot:
    return Snapshot(
        path=path,
        name=name,
        database=database,
        migrations=tuple(row[0] for row in read(_MIGRATIONS)),
        artifacts=tuple(row[0] for row in read(_ARTIFACTS)),
        rows={what: read(f"SELECT count(*) FROM {table}")[0][0] for what, table in COUNTED.items()},  # noqa: S608  (ours)
    )
