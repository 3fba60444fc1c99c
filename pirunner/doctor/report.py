"""What the doctor prints."""

import textwrap
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from pirunner.doctor.findings import Finding, Level, exit_code
from pirunner.tables import printable
from pirunner.wording import counted

_NAME = 20
_LEVEL = 9


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the JSON document."""
    return {"ok": exit_code(findings) == 0, "findings": [finding.as_dict() for finding in findings]}


def lines(findings: Sequence[Finding], *, width: int | None, paint: Callable[[str], str]) -> list[str]:
    """Return a line for each finding, below it how to mend it, and at the end how many there are of each sort."""
    told: list[str] = []
    for subject, group in groupby(findings, key=lambda finding: finding.subject):
        told.append(subject)
        for finding in group:
            told += _lines_of(finding, width, paint)
    return [*told, "", summary(findings)]


def summary(findings: Sequence[Finding]) -> str:
    """Return the last line."""
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    if counts[Level.OK] == len(findings):
        return f"All is well: {len(findings)} things were looked at."
    problems, warnings = (counted(counts[level], level.value) for level in (Level.PROBLEM, Level.WARNING))
    return f"{problems}, {warnings}, {counts[Level.OK]} ok."


def _lines_of(finding: Finding, width: int | None, paint: Callable[[str], str]) -> list[str]:
    level = finding.level.value
    head = f"  {paint(level)}{' ' * (_LEVEL - len(level))}{printable(finding.name):<{_NAME}} "
    indent = " " * (2 + _LEVEL + _NAME + 1)
    seen = _wrapped(printable(finding.seen), width, indent)
    mend = _wrapped(f"-> {printable(finding.mend)}", width, indent) if finding.mend else []
    return [head + seen[0].removeprefix(indent), *seen[1:], *mend]


def _wrapped(text: str, width: int | None, indent: str) -> list[str]:
    if width is None:
        return [f"{indent}{text}"]
    room = max(width, len(indent) + 30)
    wrapped = textwrap.wrap(
        text, room, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return wrapped or [indent]
