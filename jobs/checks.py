"""System checks of the jobs app: faults of the configuration, found at start-up."""

from typing import Any

from django.core.checks import Error

from jobs import catalog


def check_runner_jobs(**_kwargs: Any) -> list[Error]:
    """Report the names in ``RUNNER_JOBS`` that no job type has."""
    unknown = catalog.unknown_names()
    if not unknown:
        return []
    return [
        Error(
            f"RUNNER_JOBS names job types that do not exist: {', '.join(unknown)}.",
            hint=f"Choose from {', '.join(catalog.registered())}, or leave it empty for all of them.",
            id="jobs.E001",
        )
    ]
