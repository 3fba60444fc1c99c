"""Brings the database up to date, in a process of its own.

The supervisor must not hold a database connection: a SQLite lock inherited by a fork was seen to block the
child for ever.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import NoReturn

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from pirunner import env
from pirunner.dotenv import folder_locked
from pirunner.up import preflight
from pirunner.up.faults import Exit, StartFault
from pirunner.up.lifeline import die_with

_MIGRATION_LOCK = 0x70697275  # any number, the same in every pirunner
_UNPREPARED = 3


def prepare() -> None:
    """Migrate the database if it needs it, and make the first administrator if there is no user.

    Raises StartFault with what the database said.
    """
    sentence = _in_a_fork(_prepare)
    if sentence:
        raise StartFault(sentence, Exit.DATABASE)


def _prepare() -> str:
    try:
        with _migration_lock():
            _migrate()
            _make_administrator()
    except (DatabaseError, ImproperlyConfigured, OSError) as error:
        first_line = str(error).strip().partition("\n")[0]
        return f"The database cannot be used: {first_line}. Check DATABASE_URL, or RUNNER_DATA_DIR."
    finally:
        connection.close()
    return ""


@contextlib.contextmanager
def _migration_lock() -> Iterator[None]:
    """Let those who start together on one database take turns: machines on PostgreSQL, the parts of one machine."""
    if connection.vendor != "postgresql":
        with folder_locked(preflight.run_folder()):
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
    # The session ends with this process, and the lock with the session.
    yield


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def _make_administrator() -> None:
    users = get_user_model()._default_manager  # noqa: SLF001  (Django's documented name)
    if not users.exists():
        users.create_superuser("admin", "", env.secret("ADMIN_PASSWORD"))


def _in_a_fork(work: Callable[[], str]) -> str:
    """Run ``work`` in a forked process and return the text that it returned."""
    read_end, write_end = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        die_with(parent)
        _report(work, write_end)
    os.close(write_end)
    with os.fdopen(read_end, encoding="utf-8") as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    if status and not text:
        return "The database could not be prepared; the lines above say why."
    return text


def _report(work: Callable[[], str], write_end: int) -> NoReturn:
    status = _UNPREPARED
    try:
        os.write(write_end, work().encode())
        status = 0
    except BaseException:  # noqa: BLE001  (the process ends here; the owner must learn why)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
