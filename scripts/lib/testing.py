"""What `scripts/test` runs: the linters, the tests on SQLite and PostgreSQL, the browser and fault tests, a count."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from pirunner import env
from scripts.lib.counts import FAILED, PASSED, SKIPPED, Counts, read_report
from scripts.lib.postgres import PostgresFault, find_binaries, private_postgres

PYTHON = sys.executable
SHELL_FILES = ("scripts/run", "scripts/test", "scripts/lib/setup.sh", ".ci/run")
LINTERS: Mapping[str, Sequence[str]] = {
    "ruff check": (PYTHON, "-m", "ruff", "check", "."),
    "ruff format": (PYTHON, "-m", "ruff", "format", "--check", "."),
    "mypy": (PYTHON, "-m", "mypy"),
    "import-linter": (PYTHON, "-c", "from importlinter.cli import lint_imports_command as run; run()"),
    "migrations": (PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"),
    "shellcheck": ("shellcheck", "-x", *SHELL_FILES),
}
ORDINARY = "not faults and not browser"
"""The tests that run side by side, once on each database."""
_NOTHING_COLLECTED = 5  # pytest's exit codes
_TESTS_FAILED = 1


def main(arguments: Sequence[str]) -> int:
    """Run everything, or what the arguments name, and return the exit code."""
    signal.signal(signal.SIGTERM, _leave)
    with tempfile.TemporaryDirectory(prefix="pirunner-test-") as folder:
        bench = Bench(Path(folder))
        counts = bench.run_tests("tests", arguments) if arguments else run_all(bench)
    print(counts)
    return 1 if counts.failed else 0


def run_all(bench: "Bench") -> Counts:
    """Run every part, whatever becomes of the others."""
    counts = sum((bench.lint(name, command) for name, command in LINTERS.items()), Counts())
    counts += bench.run_tests("tests on SQLite", ["-n", "2", "-m", ORDINARY])
    counts += _run_on_postgres(bench)
    counts += bench.run_tests("browser tests", ["-m", "browser"])
    counts += bench.run_tests("fault tests", ["-n", "3", "--dist", "worksteal", "-m", "faults"])
    return counts


def _run_on_postgres(bench: "Bench") -> Counts:
    binaries = find_binaries()
    if binaries is None:
        return _skip("tests on PostgreSQL: no server's binaries on PATH or below /usr/lib/postgresql.")
    try:
        with private_postgres(binaries) as url:
            return bench.run_tests("tests on PostgreSQL", ["-n", "2", "-m", ORDINARY], {"DATABASE_URL": url})
    except PostgresFault as fault:
        print(f"FAILED: {fault}", flush=True)
        return FAILED


def _skip(text: str) -> Counts:
    print(f"SKIPPED: {text}", flush=True)
    return SKIPPED


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


class Bench:
    """Runs the parts in an environment that knows nothing of the owner's `.env`, variables and data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ours = {variable.name for variable in env.VARIABLES} - {"TZ"}
        ours.add("DJANGO_SETTINGS_MODULE")  # pytest and the commands choose their own
        self._environment = {name: value for name, value in os.environ.items() if name not in ours} | {
            "ENV_FILE": os.devnull,
            "RUNNER_DATA_DIR": str(folder / "data"),
            "PYTHONUNBUFFERED": "1",
        }
        (folder / "data").mkdir()

    def lint(self, name: str, command: Sequence[str]) -> Counts:
        """Run a linter; its output is shown only if it complains."""
        if shutil.which(command[0]) is None:
            return _skip(f"{name}: the program is not on PATH.")
        started = time.monotonic()
        ended = subprocess.run(
            command,
            env=self._environment | {"DEVELOPMENT": "on", "RELAY": "off"},  # a clone has no secrets yet
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        verdict = "FAILED" if ended.returncode else "ok"
        print(f"{name}: {verdict} ({time.monotonic() - started:.1f} s)", flush=True)
        if ended.returncode:
            print(ended.stdout, flush=True)
        return FAILED if ended.returncode else PASSED

    def run_tests(
        self, title: str, arguments: Sequence[str], more_environment: Mapping[str, str] | None = None
    ) -> Counts:
        """Run pytest and return its counts; an end that is no verdict counts as one failure more."""
        print(f"\n== {title}", flush=True)
        report = self._folder / f"{title.replace(' ', '-')}.xml"
        command = [PYTHON, "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
        code = subprocess.run(
            command, env=self._environment | dict(more_environment or {}), stdin=subprocess.DEVNULL, check=False
        ).returncode
        if code == _NOTHING_COLLECTED:
            return _skip(f"{title}: there are none.")
        counts = read_report(report)
        if code > _TESTS_FAILED or (code and not counts.failed):
            print(f"FAILED: pytest ended with code {code}.", flush=True)
            counts += FAILED
        return counts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
