"""The project as an app, so that Django finds its commands and checks."""

import importlib

from django.apps import AppConfig


class PirunnerConfig(AppConfig):
    """Configuration of the app."""

    name = "pirunner"

    def ready(self) -> None:
        """Register the system checks."""
        importlib.import_module("pirunner.checks")
