"""The app of time: the clock, and later the schedules that it fires."""

from django.apps import AppConfig


class SchedulesConfig(AppConfig):
    """Configuration of the app."""

    name = "schedules"
