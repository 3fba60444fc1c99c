"""The `.env` file: where it is, what it says, and how it is rewritten, whole or not at all and for its owner only."""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pirunner import env

LINE = re.compile(r"(?:export )?([A-Za-z_0-9]+)=(.*)")


def env_file() -> Path:
    """Return where the `.env` file is: ENV_FILE, else in the project's folder."""
    return Path(os.environ.get("ENV_FILE") or env.ROOT / ".env")


def names_in(text: str) -> set[str]:
    """Return the names of the variables that have a value in the text of a `.env` file."""
    matches = (LINE.fullmatch(line) for line in text.splitlines())
    return {match[1] for match in matches if match and match[2].strip(" \t'\"")}


def with_values(text: str, values: Mapping[str, str]) -> str:
    """Return the text with these values, each in its variable's own line, or else in a new one at the end."""
    left = dict(values)
    lines = []
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        if match is None or match[1] not in values:
            lines.append(line)
        elif match[1] in left:  # a second line of the same variable goes
            lines.append(f"{match[1]}={left.pop(match[1])}")
    lines += [f"{name}={value}" for name, value in left.items()]
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Let those who rewrite a file in this folder take turns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_text(path: Path, text: str) -> None:
    """Write the file anew, with mode 0600; raises OSError and leaves the old one when that is impossible."""
    # mkstemp makes the file with mode 0600; the rename makes the change whole or not at all.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".env.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
