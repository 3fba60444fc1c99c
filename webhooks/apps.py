"""The app that tells others what happened: events, deliveries, signing, checked egress."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Configuration of the app."""

    name = "webhooks"
