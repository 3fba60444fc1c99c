"""The folder of the units: what lies in it under our names, and whose it is."""

import hashlib
import os
from pathlib import Path

from installer.files import Folder
from installer.plan import Found, Present
from installer.refusals import Refusal
from installer.units import SERVICE, id_of_timer, maker_of

MOST_UNIT_BYTES = 256 * 1024


def open_units(path: Path) -> Folder:
    """Open systemd's folder. Raises ``Refusal`` unless it is ours and nobody else can write to it."""
    try:
        folder = Folder(path)
    except OSError as error:
        raise Refusal("no_folder", f"{path} cannot be opened: {error.strerror}.") from error
    found = folder.stat
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        with folder:
            raise Refusal("unsafe_folder", f"{path} must belong to who syncs, which is root, and to nobody else.")
    return folder


def present_units(folder: Folder, makers: frozenset[str]) -> dict[str, Present]:
    """Return the timers and the service that are there under our names, and whose they are.

    Ours are regular files that were made for one of ``makers``; links, folders and other people's units are foreign.
    """
    names = [name for name in folder.names() if name == SERVICE or id_of_timer(name)]
    return {name: _present(folder, name, makers) for name in names}


def sha256_of(text: str) -> str:
    """Return the SHA-256 of a unit's text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _present(folder: Folder, name: str, makers: frozenset[str]) -> Present:
    try:
        text = folder.read(name, most=MOST_UNIT_BYTES).decode()
    except (Refusal, FileNotFoundError, UnicodeDecodeError):
        return Present(Found.FOREIGN, "")
    found = Found.OURS if maker_of(text) in makers else Found.FOREIGN
    return Present(found, sha256_of(text))
