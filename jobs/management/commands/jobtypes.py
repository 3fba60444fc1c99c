"""``manage.py jobtypes``: which job types there are, which may run, where they are from, and their limits."""

from argparse import ArgumentParser
from typing import Any

from jobs import catalog
from jobs.contract import JobType
from jobs.plugins import plugins
from pirunner.commands import OwnerCommand
from pirunner.tables import Column

BUILT_IN = "pirunner"


class Command(OwnerCommand):
    """Lists the job types."""

    help = "Lists the job types: which may run here (RUNNER_JOBS), which package they are from, and their limits."
    examples = "  manage.py jobtypes\n  manage.py jobtypes --json\n"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *_: Any, **options: Any) -> None:
        """Print them, and what is wrong with packages that have some."""
        found = entries()
        faults = [plugin.fault for plugin in plugins() if plugin.fault]
        if options["json"]:
            self.print_json({"jobTypes": found, "faults": faults})
            return
        rows = [
            [_may_run(entry), entry["name"], entry["origin"], _limits(entry), entry["description"]] for entry in found
        ]
        self.print_table(
            [Column("runs"), Column("name"), Column("from"), Column("limits"), Column("does", shrinks=True)], rows
        )
        for fault in faults:
            self.stderr.write(self.style.WARNING(fault))


def entries() -> list[dict[str, Any]]:
    """Return what is known of each registered job type, those that may run first."""
    origins = {plugin.name: plugin.origin for plugin in plugins() if plugin.job_type}
    built_in = {job_type.name for job_type in catalog.JOB_TYPES}
    allowed = catalog.allowed()
    kinds = sorted(catalog.registered().values(), key=lambda kind: (kind.name not in allowed, kind.name))
    return [
        _entry(kind, origin=BUILT_IN if kind.name in built_in else origins[kind.name], allowed=kind.name in allowed)
        for kind in kinds
    ]


def _entry(kind: JobType, *, origin: str, allowed: bool) -> dict[str, Any]:
    return {
        "name": kind.name,
        "description": kind.description,
        "allowed": allowed,
        "origin": origin,
        "attempts": kind.attempts,
        "timeLimitSeconds": kind.time_limit,
        "memoryLimitMiB": kind.memory_limit,
        "light": kind.light,
        "long": kind.long,
    }


def _may_run(entry: dict[str, Any]) -> str:
    return "yes" if entry["allowed"] else "no"


def _limits(entry: dict[str, Any]) -> str:
    return f"{entry['timeLimitSeconds']:g} s, {entry['memoryLimitMiB']} MiB, {entry['attempts']} attempts"
