"""``manage.py startjob``: writes a new job type and its test, both of which work at once."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from jobs.catalog import registered
from jobs.skeleton import fault_of, handler_of, module_of, test_of
from pirunner.commands import FAULTY, OwnerCommand


class Command(OwnerCommand):
    """Writes jobs/handlers/<name>.py and tests/jobs/test_handlers_<name>.py."""

    help = "Writes a new job type, jobs/handlers/<name>.py, and its test, which passes at once."
    examples = "  manage.py startjob word-count\n"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("name", help="in lower case, with hyphens between words")
        parser.add_argument("--folder", type=Path, default=settings.BASE_DIR, help="of the project")

    def handle(self, *_: Any, name: str, folder: Path, **_options: Any) -> None:
        """Write both files; raises CommandError for a bad name, or where there is something already."""
        if fault := fault_of(name):
            raise CommandError(fault, returncode=FAULTY)
        if name in registered():
            raise CommandError(f"There is a job type {name!r} already.", returncode=FAULTY)
        module = module_of(name)
        files = {
            folder / "jobs" / "handlers" / f"{module}.py": handler_of(name),
            folder / "tests" / "jobs" / f"test_handlers_{module}.py": test_of(name),
        }
        for path in files:
            if path.exists():
                raise CommandError(f"{path} is there already; nothing was written.", returncode=FAULTY)
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            self.stdout.write(f"wrote {path.relative_to(folder)}")
        self.stdout.write(_next_steps(module))


def _next_steps(module: str) -> str:
    return (
        f"\nIt may run once it stands in the allowlist. In jobs/catalog.py add {module} to the import of jobs.handlers,"
        f"\nand {module}.JOB_TYPE to JOB_TYPES. Its test passes already:\n"
        f"\n  scripts/test tests/jobs/test_handlers_{module}.py\n"
    )
