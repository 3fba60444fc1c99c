"""The Celery application: the engine that carries doorbells to the workers."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pirunner.settings")

app = Celery("pirunner")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["jobs", "webhooks", "schedules"])
