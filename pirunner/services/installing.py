"""Putting the services in place, and taking them away: files written whole or not at all, systemd told once.

Run it again at any time: what is right already is left alone, and only what has changed is started anew.
"""

import grp
import os
import pwd
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from installer.files import Folder, make_folder
from installer.refusals import Refusal
from installer.systemd import Systemctl
from pirunner.dotenv import with_values
from pirunner.services.layout import Layout, settings_in
from pirunner.services.units import ALL_NAMES, INSTALLER, INSTALLER_ENV, is_ours, sysusers_text
from pirunner.up.first_start import complete

UNITS_DIR = Path("/etc/systemd/system")
_SYSUSERS_DIR = Path("/etc/sysusers.d")
_SYSUSERS_FILE = "pirunner.conf"
_MOST_BYTES = 1024 * 1024


class Change(StrEnum):
    """What is done with a unit."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "unchanged"
    GONE = "removed"
    FOREIGN = "not ours, left alone"


@dataclass(frozen=True, slots=True)
class Host:
    """The folders of the machine; those of a test lie elsewhere."""

    units_dir: Path = UNITS_DIR
    sysusers_dir: Path = _SYSUSERS_DIR
    installer_env: Path = Path(INSTALLER_ENV)


def compare(folder: Folder, wanted: Mapping[str, str]) -> dict[str, Change]:
    """Return what has to be done for each unit, those included that are there and are not wanted any more."""
    found = {name: _text(folder, name) for name in ALL_NAMES}
    changes = {}
    for name in ALL_NAMES:
        there, text = found[name], wanted.get(name)
        if there is not None and not is_ours(there):
            changes[name] = Change.FOREIGN
        elif text is not None:
            changes[name] = Change.NEW if there is None else Change.SAME if there == text else Change.CHANGED
        elif there is not None:
            changes[name] = Change.GONE
    return changes


def write(folder: Folder, wanted: Mapping[str, str]) -> dict[str, Change]:
    """Write what is new or changed, take away what is not wanted any more, and return what was done."""
    changes = compare(folder, wanted)
    for name, change in changes.items():
        if change in {Change.NEW, Change.CHANGED}:
            folder.write(name, wanted[name].encode())
        elif change is Change.GONE:
            folder.remove(name)
    return changes


def install(layout: Layout, wanted: Mapping[str, str], host: Host, *, start: bool) -> dict[str, Change]:
    """Install the services, as root. Raises ``Refusal`` with a sentence, and ``OSError``."""
    manager = Systemctl()
    _make_user(layout, host)
    token = make_data(layout)
    if INSTALLER in wanted:
        _hand_token_over(host, token)
    with Folder(host.units_dir) as folder:
        gone = [name for name, change in compare(folder, wanted).items() if change is Change.GONE]
        if gone:
            manager.disable(gone)
        changes = write(folder, wanted)
    if set(changes.values()) - {Change.SAME, Change.FOREIGN}:
        manager.reload()
    own = [name for name in wanted if changes[name] is not Change.FOREIGN]
    manager.enable(own)
    if start:
        # Only what is new: a service that is right already goes on with its work.
        manager.begin([name for name in own if changes[name] is not Change.SAME], anew=True)
        manager.begin(own, anew=False)
    return changes


def remove(host: Host) -> dict[str, Change]:
    """Take the services away; the data and the user stay. Raises ``Refusal`` and ``OSError``."""
    manager = Systemctl()
    with Folder(host.units_dir) as folder:
        changes = compare(folder, {})
        gone = [name for name, change in changes.items() if change is Change.GONE]
        if gone:
            manager.disable(gone)
            write(folder, {})
            manager.reload()
    host.installer_env.unlink(missing_ok=True)
    (host.sysusers_dir / _SYSUSERS_FILE).unlink(missing_ok=True)
    return changes


def make_data(layout: Layout) -> str:
    """Make the data folder and the secrets, both for the services' user only; return the installer's token.

    The folder is made by root and handed over when it is complete. In one that is there already nothing is followed,
    and nothing changed but a missing ``.env``. Raises ``Refusal``.
    """
    user, group = _ids_of(layout.user)
    with make_folder(layout.data_dir, 0o700) as folder:
        owner = folder.stat.st_uid
        text = _text(folder, ".env")
        if owner not in {0, user} or (owner == 0 and text is None and folder.names()):
            raise Refusal(
                "wrong_owner",
                f"{layout.data_dir} is not {layout.user}'s. If it is meant to be:"
                f" chown -R {layout.user}: {layout.data_dir}",
            )
        if text is None:
            text = complete("", set())
            folder.write(".env", text.encode(), mode=0o600, owner=(user, group))
        if owner != user:
            os.fchown(folder.descriptor, user, group)
    return settings_in(text).get("INSTALLER_TOKEN", "")


def unsafe_code(layout: Layout) -> Path | None:
    """Return a place of the code that the services' user could change, and so what root runs; None if there is none."""
    try:
        user = pwd.getpwnam(layout.user).pw_uid
    except KeyError:
        user = -1
    for place in (layout.root, layout.root / "installer", layout.python.parent.parent, layout.python.resolve()):
        found = place.stat()
        if found.st_uid == user or found.st_mode & stat.S_IWOTH:
            return place
    return None


def _make_user(layout: Layout, host: Host) -> None:
    try:
        pwd.getpwnam(layout.user)
    except KeyError:
        with make_folder(host.sysusers_dir, 0o755) as folder:
            folder.write(_SYSUSERS_FILE, sysusers_text(layout).encode())
        made = subprocess.run(["systemd-sysusers", _SYSUSERS_FILE], capture_output=True, text=True, check=False)
        if made.returncode:
            raise Refusal("no_user", f"The user {layout.user} cannot be made: {made.stderr.strip()}") from None


def _ids_of(name: str) -> tuple[int, int]:
    try:
        return pwd.getpwnam(name).pw_uid, grp.getgrnam(name).gr_gid
    except KeyError:
        raise Refusal("no_user", f"There is no user and group {name}.") from None


def _hand_token_over(host: Host, token: str) -> None:
    """Keep the installer's token where only root reads it; lines that its owner has added there stay."""
    with Folder(host.installer_env.parent) as folder:
        before = _text(folder, host.installer_env.name) or ""
        after = with_values(before, {"INSTALLER_TOKEN": token})
        if after != before:
            folder.write(host.installer_env.name, after.encode(), mode=0o600)


def _text(folder: Folder, name: str) -> str | None:
    try:
        return folder.read(name, most=_MOST_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return None
