"""The project: environment, settings, the Celery application, addresses, and the commands that run it."""

from pirunner.celery import app as celery_app

__all__ = ["celery_app"]
