"""`<RUNNER_DATA_DIR>/run/flower`: at which port of loopback Flower listens, for the page that shows it in the admin.

A note that was left behind by a kill names a process that is gone; then there is no Flower.
"""

import os
from contextlib import suppress
from pathlib import Path

URL_PREFIX = "admin/flower"
"""Flower's pages lie below it, on its own port too, so that their links fit the admin."""


def write(data_dir: Path, port: int) -> None:
    """Leave the note, with this process's id; without it the admin says that there is no Flower."""
    path = _path(data_dir)
    temporary = path.with_suffix(".new")
    with suppress(OSError):
        temporary.write_text(f"{port} {os.getpid()}\n", encoding="utf-8")
        temporary.replace(path)


def read(data_dir: Path) -> int | None:
    """Return the port; None if there is no note, or its writer is gone: the port may be somebody else's by now."""
    try:
        port, pid = map(int, _path(data_dir).read_text(encoding="utf-8").split())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return port


def _path(data_dir: Path) -> Path:
    return data_dir / "run" / "flower"
