"""``manage.py notify``: sends a message to every notification service, to see whether they are set up right."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webhooks.relay.targets import all_targets

TEXT = "🔔 pirunner can reach you here."


class Command(BaseCommand):
    """Sends a message to Telegram and to the services of NOTIFY_URLS, and says how each fared."""

    help = "Sends a message to Telegram and to the services of NOTIFY_URLS, and says how each fared."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("text", nargs="?", default=TEXT, help="what to say")

    def handle(self, *_: Any, text: str, **_options: Any) -> None:
        """Send; raises CommandError when there is nobody to send to, or somebody did not take it."""
        found = all_targets()
        if not found:
            raise CommandError("No service is configured: set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID, or NOTIFY_URLS.")
        errors = {target.name: target.send(text).error for target in found}
        for name, error in errors.items():
            self.stdout.write(f"{name}: {error or 'sent'}")
        if any(errors.values()):
            raise CommandError("Not every service took the message.")
