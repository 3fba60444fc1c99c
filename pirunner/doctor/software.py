"""Python, and the packages beside what the lock names."""

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

from packaging.requirements import InvalidRequirement, Requirement

from pirunner import env
from pirunner.doctor.findings import Finding, ok, problem, warning
from pirunner.version import version

OLDEST, NEWEST = (3, 11), (3, 13)
LOCK = "requirements.txt"
POSTGRES_LOCK = "requirements-postgres.txt"


def look() -> Iterator[Finding]:
    """Look at the interpreter and the packages."""
    yield _python()
    lock = POSTGRES_LOCK if os.environ.get("DATABASE_URL", "").startswith("postgres") else LOCK
    yield packages((env.ROOT / lock).read_text(encoding="utf-8"), lock)


def _python() -> Finding:
    seen = f"pirunner {version()}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return ok("python", seen)
    return problem("python", seen, "Use Python 3.11, 3.12 or 3.13: remove .venv, and start scripts/run with it.")


def packages(lock: str, name: str) -> Finding:
    """Compare what is installed with the text of a lock."""
    wanted = [requirement for line in lock.splitlines() if (requirement := _requirement(line))]
    missing = [each.name for each in wanted if _installed(each.name) is None]
    other = [
        f"{each.name} {found}"
        for each in wanted
        if (found := _installed(each.name)) is not None and not each.specifier.contains(found, prereleases=True)
    ]
    mend = f"Run scripts/run, which installs what {name} names."
    if missing:
        return problem("packages", f"missing: {', '.join(missing[:8])}", mend)
    if other:
        return warning("packages", f"other than {name} names: {', '.join(other[:8])}", mend)
    return ok("packages", f"all {len(wanted)} of {name}")


def _requirement(line: str) -> Requirement | None:
    """Return what a line of a lock asks for on this machine, None for a comment or another machine's."""
    text = line.partition(" #")[0].partition(" --hash")[0].strip().rstrip("\\").strip()
    if not text or text.startswith(("#", "-")):
        return None
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    return requirement if requirement.marker is None or requirement.marker.evaluate() else None


def _installed(name: str) -> str | None:
    try:
        return version_of(name)
    except PackageNotFoundError:
        return None
