"""PostgreSQL's own tools, called so that no password stands in a list of processes."""

import os
import shutil
import subprocess
from pathlib import Path

from django.db import connection

from pirunner.backup.faults import BackupFault
from pirunner.backup.places import ASIDE_PREFIX

ASIDE_SCHEMA = ASIDE_PREFIX.replace("-", "_")
_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}
_ALIEN = (" SCHEMA - ", " COMMENT - SCHEMA ", " ACL - SCHEMA ")


def dump(path: Path, snapshot: str) -> None:
    """Write the database as an exported snapshot shows it; raises ``BackupFault``."""
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={ASIDE_SCHEMA}*"]
    _call("pg_dump", *options, f"--snapshot={snapshot}", f"--file={path}")


def load(path: Path) -> None:
    """Put a dump into the database in one transaction; raises ``BackupFault``, and then nothing was changed."""
    listed = _call("pg_restore", "--list", str(path))
    chosen = path.with_suffix(".list")
    # The schema is there already, whoever owns it.
    chosen.write_text("".join(f"{line}\n" for line in listed.splitlines() if not any(word in line for word in _ALIEN)))
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", f"--use-list={chosen}"]
    _call("pg_restore", *options, f"--dbname={connection.settings_dict['NAME']}", str(path))


def _call(program: str, *options: str) -> str:
    binary = shutil.which(program)
    if binary is None:
        raise BackupFault(
            f"{program} is not installed here. Install PostgreSQL's client (postgresql-client), at least as new as the "
            "server, or use the server's own backups."
        )
    ended = subprocess.run(
        [binary, *options], env={**os.environ, **_environment()}, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise BackupFault(f"{program} failed: {' '.join(ended.stderr.split())[:400]}")
    return ended.stdout


def _environment() -> dict[str, str]:
    given = connection.get_connection_params()
    return {variable: str(given[name]) for name, variable in _VARIABLES.items() if given.get(name)}
