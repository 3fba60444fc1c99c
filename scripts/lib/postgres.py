"""A private PostgreSQL for a test run: a fresh cluster in a temporary folder, on a unix socket."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from pirunner.up.lifeline import die_with

_START = 30.0  # seconds
_STOP = 20.0  # seconds
_UNPRIVILEGED = ("postgres", "nobody")


class PostgresFault(Exception):
    """The server could not be started; the sentence says why."""


def find_binaries() -> Path | None:
    """Return the folder of a PostgreSQL server's binaries: on PATH, else the newest one of Debian's."""
    on_path = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    candidates = [*on_path, *debian]
    return next((folder for folder in candidates if _has_server(folder)), None)


def _has_server(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres"))


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


@contextmanager
def private_postgres(binaries: Path) -> Iterator[str]:
    """Yield the DATABASE_URL of a server of our own; it is stopped and its files removed at the end.

    fsync is on, as in production: the tests are about what survives. Raises PostgresFault when the server
    does not start.
    """
    user = _server_user()
    folder = Path(tempfile.mkdtemp(prefix="pirunner-pg-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        _make_cluster(binaries, folder, user)
        with _serving(binaries, folder, user):
            yield f"postgres://postgres@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server_user() -> str | None:
    """Return the user to run the server as; None is the one we are. PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise PostgresFault("PostgreSQL does not run as root, and there is no user postgres or nobody.")


def _make_cluster(binaries: Path, folder: Path, user: str | None) -> None:
    options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    command = [str(binaries / "initdb"), "-D", str(folder / "data"), *options]
    made = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", user=user)
    if made.returncode:
        raise PostgresFault(f"initdb failed: {made.stderr.strip()}")


@contextmanager
def _serving(binaries: Path, folder: Path, user: str | None) -> Iterator[None]:
    log = folder / "server.log"
    options = ["-k", str(folder), "-h", "", "-c", "fsync=on"]
    command = [str(binaries / "postgres"), "-D", str(folder / "data"), *options]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A Ctrl-C is for the tests, which then end the server in their own way.
            start_new_session=True,
            # This process has no threads, and the server must not outlive it.
            preexec_fn=partial(die_with, os.getpid()),  # noqa: PLW1509
            user=user,
        )
    try:
        _wait_until_ready(folder, server, log)
        yield
    finally:
        _stop(server)


def _wait_until_ready(folder: Path, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _START
    pid_file = folder / "data" / "postmaster.pid"
    while not _says_ready(pid_file):
        if server.poll() is not None or time.monotonic() > end:
            raise PostgresFault(f"PostgreSQL did not start: {log.read_text(errors='replace').strip()[-500:]}")
        time.sleep(0.05)


def _says_ready(pid_file: Path) -> bool:
    """Tell whether the eighth line of postmaster.pid says "ready", as pg_ctl looks for it."""
    try:
        lines = pid_file.read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _stop(server: "subprocess.Popen[bytes]") -> None:
    # SIGINT is PostgreSQL's fast shutdown: it ends the sessions that are open.
    server.send_signal(signal.SIGINT)
    try:
        server.wait(_STOP)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
