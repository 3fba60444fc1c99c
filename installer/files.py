"""Files below one open folder: read without following a link, written whole or not at all.

A folder is held by its descriptor, so that nobody can put another in its place between a check and a use. Names are
single components; whoever passes one from outside has checked it.
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from installer.refusals import Refusal

TEMPORARY = ".piar-new-"
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO must not make the reader wait


class Folder:
    """An open folder, or one that lies directly in an open one. Raises ``OSError`` if it is not there, or a link."""

    def __init__(self, path: Path, *, within: "Folder | None" = None) -> None:
        self.path = path
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        if within is None:
            self.descriptor = os.open(path, flags)
        else:
            self.descriptor = os.open(path.name, flags, dir_fd=within.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    @property
    def stat(self) -> os.stat_result:
        """Whose it is, and when something was put in or taken out."""
        return os.fstat(self.descriptor)

    def names(self) -> list[str]:
        """Return the names in it, sorted."""
        return sorted(os.listdir(self.descriptor))  # noqa: PTH208 - the folder that is open, whatever its path is now

    def stat_of(self, name: str) -> os.stat_result | None:
        """Return what is known of a file, of a link and not of its target; None if it is not there."""
        try:
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def read(self, name: str, *, most: int, owners: frozenset[int] | None = None) -> bytes:
        """Return the content of a regular file of at most ``most`` bytes.

        Raises ``FileNotFoundError``, and ``Refusal`` if it is a link, no regular file, too long, or somebody else's.
        """
        descriptor = self._open(name)
        try:
            _check(name, os.fstat(descriptor), most, owners)
            return _read(name, descriptor, most)
        finally:
            os.close(descriptor)

    def write(self, name: str, content: bytes, *, mode: int = 0o644, owner: tuple[int, int] | None = None) -> None:
        """Put a file in place, on disk when this returns; a crash leaves the old one or the new one.

        ``owner`` is the user's and the group's id, if it is to be another's.
        """
        temporary = f"{TEMPORARY}{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, mode, dir_fd=self.descriptor)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), mode)  # whatever the umask is
                if owner is not None:
                    os.fchown(file.fileno(), *owner)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, name, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=self.descriptor)
            raise
        os.fsync(self.descriptor)

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.descriptor)
        os.fsync(self.descriptor)

    def sweep(self) -> None:
        """Take away what writers left that were killed; only for who holds the folder's lock."""
        for name in self.names():
            if name.startswith(TEMPORARY):
                self.remove(name)

    @contextmanager
    def locked(self, name: str = ".lock", *, wait: bool = True) -> Iterator[None]:
        """Let those who write here take turns. Raises ``BlockingIOError`` if it is taken and ``wait`` is off."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self.descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield
        finally:
            os.close(descriptor)

    def _open(self, name: str) -> int:
        try:
            return os.open(name, _OPEN, dir_fd=self.descriptor)
        except FileNotFoundError:
            raise
        except OSError as error:  # ELOOP for a link, ENXIO for a socket
            raise Refusal("not_a_file", f"{name} cannot be opened as a regular file: {error.strerror}.") from error


def make_folder(path: Path, mode: int) -> Folder:
    """Return the folder, made if it is not there yet."""
    with suppress(FileExistsError):
        path.mkdir(mode=mode, parents=True)
        path.chmod(mode)
    return Folder(path)


def _check(name: str, found: os.stat_result, most: int, owners: frozenset[int] | None) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Refusal("not_a_file", f"{name} is no regular file.")
    if owners is not None and found.st_uid not in owners:
        raise Refusal("wrong_owner", f"{name} belongs to user {found.st_uid}, who does not own the folder.")
    if found.st_size > most:
        raise Refusal("too_large", f"{name} has {found.st_size:,} bytes; at most {most:,} are read.")


def _read(name: str, descriptor: int, most: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        content = file.read(most + 1)  # it may have grown since
    if len(content) > most:
        raise Refusal("too_large", f"{name} is longer than {most:,} bytes.")
    return content
