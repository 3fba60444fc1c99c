"""The app of the jobs: what may run, what runs, and how it ended."""

from django.apps import AppConfig
from django.core import checks

from jobs.checks import check_runner_jobs


class JobsConfig(AppConfig):
    """Configuration of the app."""

    name = "jobs"

    def ready(self) -> None:
        """Register the system checks."""
        checks.register(check_runner_jobs)
