"""The app that tells others what happened: events, deliveries, signing, checked egress."""

from django.apps import AppConfig
from django.core import checks

from webhooks.checks import check_allowed_hosts, check_callback_url, check_secret
from webhooks.relay.checks import check_relay_secret, check_telegram
from webhooks.watcher import EVENTS, watcher


class WebhooksConfig(AppConfig):
    """Configuration of the app."""

    name = "webhooks"
    verbose_name = "Callbacks"

    def ready(self) -> None:
        """Register the system checks, and let those who wait hear of events."""
        for check in (check_allowed_hosts, check_callback_url, check_secret, check_relay_secret, check_telegram):
            checks.register(check)
        watcher.add_source(EVENTS, self.get_model("Event"))
