"""The app of time: schedules, their occurrences, and the clock that fires them."""

from django.apps import AppConfig
from django.core import checks

from schedules.checks import check_brief_cron


class SchedulesConfig(AppConfig):
    """Configuration of the app."""

    name = "schedules"

    def ready(self) -> None:
        """Register the system checks."""
        checks.register(check_brief_cron)
