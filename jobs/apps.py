"""The app of the jobs: what may run, what runs, and how it ended."""

from django.apps import AppConfig
from django.core import checks

from jobs.checks import check_runner_jobs
from webhooks.watcher import watcher

LOG = "log"
"""The watcher's source of log lines."""


class JobsConfig(AppConfig):
    """Configuration of the app."""

    name = "jobs"

    def ready(self) -> None:
        """Register the system checks, and let those who wait hear of log lines."""
        checks.register(check_runner_jobs)
        watcher.add_source(LOG, self.get_model("LogLine"))
