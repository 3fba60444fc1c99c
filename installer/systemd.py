"""systemd's own programs: the only place that calls ``systemctl`` and ``systemd-analyze``.

Arguments are names and calendar lines of this program's own making, never a shell's. Each call is bounded in time.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from installer.refusals import Refusal

OLDEST_VERSION = 250  # the first that hands out credentials by the specifier %d
_SECONDS = 120
_AT_ONCE = 100  # arguments of one call
_NOT_LOADED = 5  # what `systemctl stop` says of a unit it does not know
_PLAIN = {"LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": "", "PATH": ""}


class Manager(Protocol):
    """What starts and stops timers."""

    def disable(self, names: Sequence[str]) -> None:
        """Stop them, and see that they do not start at boot."""

    def enable(self, names: Sequence[str]) -> frozenset[str]:
        """See that they start at boot, and return those that will; that alone starts nothing."""

    def reload(self) -> None:
        """Read the units again."""

    def start(self, names: Sequence[str]) -> frozenset[str]:
        """Start them, anew if they run already, and return those that run then."""

    def running(self, names: Sequence[str]) -> frozenset[str]:
        """Return those that run."""

    def next_elapses(self) -> dict[str, datetime | None] | None:
        """Return when each timer rings next; None if that is not known."""


class Systemctl:
    """The real systemd. Raises ``Refusal`` when it is not there, too old, or refuses something."""

    def __init__(self) -> None:
        self._program = _found("systemctl")
        version = _run([self._program, "--version"]).stdout.split()
        if len(version) < 2 or not version[1].isdigit() or int(version[1]) < OLDEST_VERSION:
            raise Refusal("old_systemd", f"systemd {OLDEST_VERSION} or later is needed, for credentials.")

    def disable(self, names: Sequence[str]) -> None:
        """Stop them, and see that they do not start at boot."""
        for some in _portions(names):
            self._call("stop", *some, fine=(0, _NOT_LOADED))
            self._call("--no-reload", "disable", *some)

    def enable(self, names: Sequence[str]) -> frozenset[str]:
        """See that they start at boot, and return those that will; that alone starts nothing."""
        return frozenset(names) - _culprits(names, lambda some: [self._program, "--no-reload", "enable", *some])

    def reload(self) -> None:
        """Read the units again."""
        self._call("daemon-reload")

    def start(self, names: Sequence[str]) -> frozenset[str]:
        """Start them, anew if they run already, and return those that run then."""
        active: set[str] = set()
        for some in _portions(names):
            _run([self._program, "restart", *some])
            active |= self.running(some)
        return frozenset(active)

    def begin(self, names: Sequence[str], *, anew: bool) -> None:
        """Have them started, and do not wait for it; those that run are left alone, or started ``anew``."""
        for some in _portions(names):
            self._call("--no-block", "restart" if anew else "start", *some)

    def running(self, names: Sequence[str]) -> frozenset[str]:
        """Return those that run."""
        active: set[str] = set()
        for some in _portions(names):
            # It answers with one line for each, in the same order; its exit code is only about all of them.
            states = _run([self._program, "is-active", *some]).stdout.split("\n")
            active.update(name for name, state in zip(some, states, strict=False) if state.strip() == "active")
        return frozenset(active)

    def next_elapses(self) -> dict[str, datetime | None] | None:
        """Return when each timer rings next; None if systemd does not say."""
        ended = _run([self._program, "list-timers", "--output=json", "piar-sysd-*.timer"])
        try:
            rows = json.loads(ended.stdout)
            return {str(row["unit"]): _instant(row.get("next")) for row in rows}
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            return None

    def _call(self, *arguments: str, fine: tuple[int, ...] = (0,)) -> None:
        ended = _run([self._program, *arguments])
        if ended.returncode not in fine:
            said = " ".join(ended.stderr.split())[:300]
            verb = next(argument for argument in arguments if not argument.startswith("-"))
            raise Refusal("systemctl", f"systemctl {verb} failed with {ended.returncode}: {said}")


class NoManager:
    """Does nothing: for a dry run."""

    def disable(self, names: Sequence[str]) -> None:
        """Do nothing."""

    def enable(self, names: Sequence[str]) -> frozenset[str]:
        """Claim that they will."""
        return frozenset(names)

    def reload(self) -> None:
        """Do nothing."""

    def start(self, names: Sequence[str]) -> frozenset[str]:
        """Claim that they run."""
        return frozenset(names)

    def running(self, names: Sequence[str]) -> frozenset[str]:
        """Claim that they run."""
        return frozenset(names)

    def next_elapses(self) -> dict[str, datetime | None] | None:
        """Know nothing."""
        return None


def can_analyze() -> bool:
    """Return whether calendars and units can be checked on this machine."""
    return shutil.which("systemd-analyze") is not None


def refused_lines(lines: Sequence[str]) -> frozenset[str]:
    """Return those calendar lines that systemd does not read."""
    return _culprits(lines, lambda some: ["systemd-analyze", "calendar", *some])


def refused_units(paths: Sequence[Path]) -> frozenset[str]:
    """Return the names of those units that ``systemd-analyze verify`` finds fault with."""
    by_path = {str(path): path.name for path in paths}
    faulty = _culprits(list(by_path), lambda some: ["systemd-analyze", "verify", "--man=no", *some])
    return frozenset(by_path[path] for path in faulty)


def _culprits(items: Sequence[str], command: "Command") -> frozenset[str]:
    """Ask about many at once, and about each alone where one of them is at fault."""
    found: set[str] = set()
    for some in _portions(items):
        if _run(command(some)).returncode:
            found.update(item for item in some if len(some) == 1 or _run(command([item])).returncode)
    return frozenset(found)


class Command(Protocol):
    """Makes the arguments of a call."""

    def __call__(self, items: Sequence[str]) -> list[str]:
        """Return them."""


def _portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[first : first + _AT_ONCE] for first in range(0, len(names), _AT_ONCE))


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise Refusal("no_systemd", f"There is no {program} on this machine; without --apply, units are only written.")
    return path


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    program = _found(command[0])
    environment = {**_PLAIN, "PATH": str(Path(program).parent)}
    try:
        return subprocess.run(
            [program, *command[1:]],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Refusal("systemctl", f"{command[0]} {command[1]} did not answer: {type(error).__name__}.") from error


def _instant(microseconds: object) -> datetime | None:
    # systemd writes 0 or 2^64 - 1 where there is none.
    if not isinstance(microseconds, int) or not 0 < microseconds < 2**62:
        return None
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
