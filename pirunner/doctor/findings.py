"""What the doctor finds: a line, how grave it is, and one sentence that says how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How grave it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


_GRAVITY = (Level.OK, Level.WARNING, Level.PROBLEM)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what was seen, and how to mend it ("" where nothing is to mend)."""

    name: str
    level: Level
    seen: str
    mend: str = ""
    subject: str = ""

    def as_dict(self) -> dict[str, str | None]:
        """Return it as JSON's values."""
        return {
            "subject": self.subject,
            "name": self.name,
            "level": self.level.value,
            "seen": self.seen,
            "mend": self.mend or None,
        }


def ok(name: str, seen: str) -> Finding:
    """Return that something is well."""
    return Finding(name, Level.OK, seen)


def warning(name: str, seen: str, mend: str) -> Finding:
    """Return that something should be seen to."""
    return Finding(name, Level.WARNING, seen, mend)


def problem(name: str, seen: str, mend: str) -> Finding:
    """Return that something is broken."""
    return Finding(name, Level.PROBLEM, seen, mend)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 0 if all is well, 1 for warnings, 2 for problems."""
    return max((_GRAVITY.index(finding.level) for finding in findings), default=0)
