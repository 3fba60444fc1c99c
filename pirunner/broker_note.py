"""`<RUNNER_DATA_DIR>/run/broker`: where the private Redis is, for commands that ring beside a running pirunner.

A note that was left behind by a kill leads nowhere, and does no harm: a ring may be lost.
"""

from contextlib import suppress
from pathlib import Path

SCHEME = "redis+socket://"


def write(data_dir: Path, url: str) -> None:
    """Leave the note; without it commands leave their rings to the clock."""
    path = _path(data_dir)
    temporary = path.with_suffix(".new")
    with suppress(OSError):
        temporary.write_text(f"{url}\n", encoding="utf-8")
        temporary.replace(path)


def read(data_dir: Path) -> str:
    """Return the address of the private Redis, "" if there is no note or its socket has gone."""
    try:
        url = _path(data_dir).read_text(encoding="utf-8").strip()
        return url if url.startswith(SCHEME) and Path(url.removeprefix(SCHEME)).is_socket() else ""
    except (OSError, ValueError):
        return ""


def remove(data_dir: Path) -> None:
    """Take the note away."""
    with suppress(OSError):
        _path(data_dir).unlink(missing_ok=True)


def _path(data_dir: Path) -> Path:
    return data_dir / "run" / "broker"
