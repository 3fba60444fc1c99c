"""The app of the jobs: what may run, what runs, and how it ended."""

import importlib

from django.apps import AppConfig
from django.core import checks

from webhooks import owners
from webhooks.watcher import watcher

LOG = "log"
"""The watcher's source of log lines."""


class JobsConfig(AppConfig):
    """Configuration of the app."""

    name = "jobs"

    def ready(self) -> None:
        """Register the system checks, and let those who wait hear of log lines; tell whose jobs are whose."""
        # Handlers may use models, which are there only now.
        from jobs.checks import check_plugins, check_runner_jobs  # noqa: PLC0415

        checks.register(check_runner_jobs)
        checks.register(check_plugins)
        owners.answer_by(importlib.import_module("jobs.selectors").jobs_of_owner)
        watcher.add_source(LOG, self.get_model("LogLine"))
