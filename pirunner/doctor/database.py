"""The database: there, sound, up to date, and set up so that what it accepts is on disk."""

import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from pirunner.doctor.findings import Finding, ok, problem, warning
from pirunner.wording import size

LARGE_WAL = 64 * 1024 * 1024
LOOKING_SECONDS = 20.0
OLDEST_POSTGRES = 13


def look() -> Iterator[Finding]:
    """Look at the database."""
    if connection.vendor == "sqlite":
        path = Path(str(connection.settings_dict["NAME"]))
        if not path.exists():
            mend = "Start scripts/run, which makes it, or put a backup back: manage.py restore FILE."
            yield problem("database", f"{path} is not there", mend)
            return
        yield from sqlite_file(path)
    yield from _connection()


def sqlite_file(path: Path) -> Iterator[Finding]:
    """Look at the file itself, without writing to it."""
    damaged = "Stop pirunner and put a backup back (manage.py restore FILE); keep the damaged file for a repair."
    try:
        with closing(_opened(path)) as database:
            (journal,) = database.execute("PRAGMA journal_mode").fetchone()
            faults, whole = _faults(database)
    except sqlite3.Error as error:
        yield problem("database", f"{path} cannot be read: {error}", damaged)
        return
    yield _journal(journal)
    if faults:
        yield problem("integrity", f"damaged: {faults[0]}", damaged)
    else:
        looked = "sound" if whole else f"nothing wrong in {LOOKING_SECONDS:.0f} s of looking; it is large"
        yield ok("integrity", f"{looked}, {size(path.stat().st_size)}, SQLite {sqlite3.sqlite_version}")
    yield _wal(path.with_name(f"{path.name}-wal"))
    if path.stat().st_mode & stat.S_IWUSR == 0:
        yield problem("database", f"{path} is read-only", f"chmod 600 {path}")


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5)


def _faults(database: sqlite3.Connection) -> tuple[list[str], bool]:
    """Return what is damaged, and whether all was looked at."""
    until = time.monotonic() + LOOKING_SECONDS
    database.set_progress_handler(lambda: time.monotonic() > until, 100_000)
    try:
        lines = [line for (line,) in database.execute("PRAGMA integrity_check(5)")]
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return [], False
        raise
    return [line for line in lines if line != "ok"], True


def _journal(mode: str) -> Finding:
    if mode == "wal":
        return ok("journal", "wal")
    mend = "Start pirunner, which sets it; if it stays so, the file system cannot do it: see RUNNER_DATA_DIR."
    return warning("journal", f"{mode}, not wal", mend)


def _wal(path: Path) -> Finding:
    length = path.stat().st_size if path.exists() else 0
    if length > LARGE_WAL:
        mend = "Something reads for very long; restart pirunner, which shortens it."
        return warning("write-ahead log", size(length), mend)
    return ok("write-ahead log", size(length))


def _connection() -> Iterator[Finding]:
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        first_line = str(error).strip().partition("\n")[0]
        mend = "Check DATABASE_URL, and that the server runs; with SQLite, RUNNER_DATA_DIR and who owns it."
        yield problem("connection", first_line, mend)
        return
    yield ok("connection", f"{connection.vendor}, answers in {(time.monotonic() - began) * 1000:.0f} ms")
    yield migrations()
    if connection.vendor == "postgresql":
        yield from _postgres()


def migrations() -> Finding:
    """Look whether the tables are those that this version wants."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    known = set(executor.loader.disk_migrations)
    apps = {app for app, _ in known}
    newer = sorted(
        f"{app}.{name}" for app, name in executor.loader.applied_migrations if app in apps and (app, name) not in known
    )
    newer = [each for each in newer if not _was_replaced(executor, each)]
    if newer:
        mend = "Upgrade pirunner: a newer one has changed this database."
        return problem("migrations", f"unknown here: {', '.join(newer[:5])}", mend)
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:5])
        return problem("migrations", f"{len(plan)} are not applied: {names}", "Restart pirunner, which applies them.")
    return ok("migrations", f"all {len(known)} applied")


def _was_replaced(executor: MigrationExecutor, name: str) -> bool:
    app, _, own = name.partition(".")
    return any((app, own) in migration.replaces for migration in executor.loader.disk_migrations.values())


def _postgres() -> Iterator[Finding]:
    wanted = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "server_encoding": "UTF8"}
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone() or ("0",)
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [[*wanted, "max_connections"]])
        settings = dict(cursor.fetchall())
        cursor.execute("SELECT count(*) FROM pg_stat_activity")
        (used,) = cursor.fetchone() or (0,)
    if int(str(version).partition(".")[0]) < OLDEST_POSTGRES:
        yield warning("PostgreSQL", str(version), f"Upgrade the server to {OLDEST_POSTGRES} or newer.")
    else:
        yield ok("PostgreSQL", f"{version}, {used} of {settings.get('max_connections')} connections in use")
    for name, value in wanted.items():
        if settings.get(name, value) != value:
            mend = f"Set {name} = {value} on the server: else what was accepted can be lost with the power."
            yield problem(name, f"is {settings[name]}", mend)
    if int(used) > 0.9 * int(settings.get("max_connections", 100)):
        yield warning("connections", f"{used} of {settings.get('max_connections')}", "Raise max_connections.")
