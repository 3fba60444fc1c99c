"""The folders that pirunner writes to: there, writable, with room, on a sound file system, nobody else's business."""

import os
import pwd
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from installer.keys import PRIVATE_FOLDER
from pirunner import env
from pirunner.backup.places import LEFTOVERS
from pirunner.doctor.findings import Finding, ok, problem, warning
from pirunner.wording import size

FULL = 50 * 1024 * 1024
NEARLY_FULL = 500 * 1024 * 1024
OVER_A_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph"})
WITHOUT_RIGHTS = frozenset({"vfat", "exfat", "msdos"})
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
UNFINISHED_AFTER = 3600.0
"""Seconds after which a backup that is still under way is taken for given up."""


def look() -> Iterator[Finding]:
    """Look at RUNNER_DATA_DIR and DATA_DIR."""
    folder = env.path("RUNNER_DATA_DIR") or env.ROOT / "data"
    if not folder.is_dir():
        mend = "Start scripts/run once, which makes it; or set RUNNER_DATA_DIR to the folder that has your data."
        yield problem("data folder", f"{folder} is not there", mend)
        return
    yield _writable("data folder", folder, "RUNNER_DATA_DIR")
    yield _room(folder)
    yield _file_system(folder)
    yield from _rights(folder)
    artifacts = env.path("DATA_DIR") or folder / "artifacts"
    if artifacts.is_dir():
        yield _writable("artifacts", artifacts, "DATA_DIR")
    yield from leftovers(folder)


def _writable(name: str, folder: Path, variable: str) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"?")
    except OSError as error:
        mend = f"Make it writable for this user (chown), or set {variable} to another folder."
        return problem(name, f"{folder} cannot be written: {error.strerror or error}", mend)
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        mend = f"Run commands as {_user(owner)}: what another user writes there, pirunner may not read."
        return warning(name, f"{folder} belongs to {_user(owner)}, and you are {_user(os.geteuid())}", mend)
    return ok(name, f"{folder}, writable")


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _room(folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    seen = f"{size(usage.free)} free of {size(usage.total)}"
    if usage.free < FULL:
        return problem("disk", seen, "Make room: manage.py prune --all removes what is no longer kept.")
    if usage.free < NEARLY_FULL:
        return warning("disk", seen, "Make room soon, or keep less: RETENTION_COMPLETED_DAYS and its like.")
    return ok("disk", seen)


def _file_system(folder: Path) -> Finding:
    kind = file_system_of(folder, Path("/proc/mounts"))
    if kind in OVER_A_NETWORK:
        mend = "Keep RUNNER_DATA_DIR on a disk of this machine, or the database in PostgreSQL (DATABASE_URL)."
        return problem("file system", f"{kind}: locks and fsync do not hold over a network", mend)
    if kind in WITHOUT_RIGHTS:
        return problem("file system", f"{kind}: it knows no owners", "Keep RUNNER_DATA_DIR on ext4 or its like.")
    if kind in IN_MEMORY:
        mend = "Keep RUNNER_DATA_DIR on a disk, unless you only try things out."
        return warning("file system", f"{kind}: gone with the next restart of the machine", mend)
    return ok("file system", kind or "unknown")


def file_system_of(folder: Path, mounts: Path) -> str:
    """Return the type of the file system that a folder lies on, "" where that cannot be told."""
    try:
        lines = [line.split() for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    resolved = folder.resolve()
    found = [(point, kind) for _, point, kind, *_ in lines if resolved.is_relative_to(point.replace("\\040", " "))]
    # Of two on one point the later one is seen.
    return max(enumerate(found), key=lambda each: (len(each[1][0]), each[0]))[1][1] if found else ""


def _rights(folder: Path) -> Iterator[Finding]:
    private = [folder, folder / PRIVATE_FOLDER, *(folder / PRIVATE_FOLDER).glob("*.pem"), *folder.glob("*.sqlite3")]
    exposed = [path for path in private if path.exists() and _is_exposed(path)]
    if not folder.stat().st_mode & 0o077:
        exposed = [path for path in exposed if PRIVATE_FOLDER in path.parts]
    for path in exposed:
        mode = 700 if path.is_dir() else 600
        yield warning("rights", f"others may read {path}", f"chmod {mode} {path}")
    if not exposed:
        yield ok("rights", "nobody else reads what is in it")


def _is_exposed(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def leftovers(folder: Path) -> Iterator[Finding]:
    """Look for backups and restores that were begun and never finished."""
    for path in sorted(each for pattern in LEFTOVERS for each in folder.glob(pattern)):
        if time.time() - path.stat().st_mtime > UNFINISHED_AFTER:
            yield warning("unfinished backup", f"{path.name} was left behind", f"rm -r {path}")
