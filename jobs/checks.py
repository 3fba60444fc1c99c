"""System checks of the jobs app: faults of the configuration, found at start-up."""

from typing import Any

from django.core.checks import Error
from django.core.checks import Warning as CheckWarning

from jobs import catalog
from jobs.plugins import plugins


def check_runner_jobs(**_kwargs: Any) -> list[Error]:
    """Report the names in ``RUNNER_JOBS`` that no job type has."""
    unknown = catalog.unknown_names()
    if not unknown:
        return []
    return [
        Error(
            f"RUNNER_JOBS names job types that do not exist: {', '.join(unknown)}.",
            hint=f"Choose from {', '.join(catalog.registered())}, or leave it empty for all built in.",
            id="jobs.E001",
        )
    ]


def check_plugins(**_kwargs: Any) -> list[CheckWarning]:
    """Report the installed packages whose job types cannot be used; everything else runs without them."""
    return [
        CheckWarning(
            f"A job type of another package cannot be used: {plugin.fault}",
            hint="Mend or uninstall the package; pirunner runs without it.",
            id="jobs.W001",
        )
        for plugin in plugins()
        if plugin.fault
    ]
