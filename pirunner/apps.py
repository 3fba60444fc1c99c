"""The project as an app, so that Django finds its commands and checks."""

from django.apps import AppConfig


class PirunnerConfig(AppConfig):
    """Configuration of the app."""

    name = "pirunner"
