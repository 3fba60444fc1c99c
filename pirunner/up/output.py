"""One readable stream out of many processes: time, aligned name, line.

In systemd's journal, which has the time and the service's name itself, a line is what was said and how grave it is.

With ``LOG_FORMAT=json`` every line is one JSON object, and the process a field of it.

A reader that is too slow must not stop the supervisor: lines wait in a bounded queue and the oldest are
dropped, with a note that says how many.
"""

import contextlib
import json
import os
import select
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

from pirunner.logs import is_json

_COLOURS = (36, 32, 35, 34, 33, 96, 92)  # cyan, green, magenta, blue, yellow, ...
_MOST_LINES = 2_000
_LONGEST_LINE = 16_384  # bytes


def format_line(moment: str, name: str, text: str, *, width: int, colour: int | None = None) -> str:
    """Return one line of the stream; ``width`` aligns the names, ``colour`` is an ANSI code."""
    head = f"{moment} {name:<{width}} |"
    return f"\x1b[{colour}m{head}\x1b[0m {text}\n" if colour else f"{head} {text}\n"


_GRAVITIES = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}  # syslog's numbers


def journal_line(name: str, text: str, *, named: bool) -> str:
    """Return one line for the journal, which takes the number at its beginning for how grave it is."""
    gravity = _GRAVITIES.get(text.partition(" ")[0])
    head = f"<{gravity}>" if gravity is not None else ""
    return f"{head}{name}: {text}\n" if named else f"{head}{text}\n"


def json_line(name: str, text: str, *, at: datetime) -> str:
    """Return one line of JSON: an object that a process logged, with its name; any other text becomes a message."""
    level = text.partition(" ")[0].lower()
    plain = {
        "message": text,
        "time": at.isoformat().replace("+00:00", "Z"),
        "level": level if level.upper() in _GRAVITIES else "info",
    }
    return json.dumps({"process": name, **(_object_in(text) or plain)}) + "\n"


def _object_in(text: str) -> dict[str, Any] | None:
    try:
        said = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def goes_to_journal(descriptor: int = 1) -> bool:
    """Return whether what is written there goes straight to systemd's journal."""
    status = os.fstat(descriptor)
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class LineSplitter:
    """Cuts a stream of bytes into lines, and a line without an end into pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that ``chunk`` completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        return [_text(line) for line in lines]

    def finish(self) -> list[str]:
        """Return what is left when the stream has ended."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r")


class Output:
    """The stream: writes to a file descriptor, never blocks, never fails."""

    def __init__(self, names: list[str], *, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._json = is_json()
        self._journal = goes_to_journal(descriptor)
        self._named = len(names) > 2  # more than the supervisor and one program
        self._width = max(map(len, names), default=0)
        self._pending: deque[bytes] = deque()
        self._dropped = 0
        self._colours = self._choose_colours(names)

    def _choose_colours(self, names: list[str]) -> dict[str, int]:
        plain = bool(os.environ.get("NO_COLOR")) or not os.isatty(self._descriptor)
        return {} if plain else {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}

    def line(self, name: str, text: str) -> None:
        """Add a line of the process ``name``; blank ones, which some print around their words, are left out."""
        if not text.strip():
            return
        if self._json:
            self._add(json_line(name, text, at=datetime.now(UTC)))
        elif self._journal:
            self._add(journal_line(name, text, named=self._named))
        else:
            moment = time.strftime("%H:%M:%S")
            self._add(format_line(moment, name, text, width=self._width, colour=self._colours.get(name)))

    def raw(self, text: str) -> None:
        """Add a text of the supervisor's own as it is; as one line where lines are JSON."""
        self._add(json_line("up", text.strip(), at=datetime.now(UTC)) if self._json else text)

    def _add(self, text: str) -> None:
        if len(self._pending) >= _MOST_LINES:
            self._pending.popleft()
            self._dropped += 1
        self._pending.append(text.encode("utf-8", errors="backslashreplace"))
        self.flush()

    def flush(self) -> None:
        """Write as much as the reader takes now."""
        while self._pending and self._writable():
            if self._dropped:
                note = f"... {self._dropped} lines dropped, the reader was too slow"
                line = json_line("up", note, at=datetime.now(UTC)) if self._json else f"{note}\n"
                self._pending.appendleft(line.encode())
                self._dropped = 0
            self._write(self._pending.popleft())

    def _writable(self) -> bool:
        # An error (the terminal is gone) counts as writable: the write then drops the line.
        return bool(select.select([], [self._descriptor], [], 0)[1])

    def _write(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            written = os.write(self._descriptor, line)
            if written < len(line):
                self._pending.appendleft(line[written:])
