"""The app that tells others what happened: events, deliveries, signing, checked egress."""

from django.apps import AppConfig

from webhooks.watcher import EVENTS, watcher


class WebhooksConfig(AppConfig):
    """Configuration of the app."""

    name = "webhooks"

    def ready(self) -> None:
        """Let those who wait hear of events."""
        watcher.add_source(EVENTS, self.get_model("Event"))
