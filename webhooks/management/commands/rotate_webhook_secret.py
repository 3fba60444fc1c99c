"""`manage.py rotate_webhook_secret`: a new secret for callbacks, the old one beside it for a while."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from webhooks.rotation import RotationRefused, plan_rotation, write_rotation

HOURS = 72
_NEXT = """
1. Restart pirunner: it signs with the new secret once it runs again, and with both under webhook-signature.
2. Give the receivers the new secret before {until}. Those that check webhook-signature miss nothing
   meanwhile. Those that check X-Runner-Signature refuse callbacks until they know the new one; what they refuse
   is tried again, and can be replayed: manage.py deliveries replay --state dead
"""


class Command(BaseCommand):
    """Change ``WEBHOOK_SECRET`` in `.env`."""

    help = "Writes a new WEBHOOK_SECRET to .env; callbacks are signed with the old one as well for a while."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--hours", type=int, default=HOURS, help=f"how long the old one counts ({HOURS} unless given)"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument("--force", action="store_true", help="even if the last rotation is not over")

    def handle(self, *_: Any, hours: int, dry_run: bool, force: bool, **__: Any) -> None:
        """Rotate, and say what to do next; no secret is printed. Raises CommandError when it is refused."""
        if not 0 < hours <= 8760:
            raise CommandError("--hours takes 1 to 8760.")
        now = timezone.now()
        until = now + timedelta(hours=hours)
        try:
            rotation = plan_rotation(now=now, until=until, force=force)
            if not dry_run:
                write_rotation(rotation)
        except RotationRefused as refusal:
            raise CommandError(str(refusal)) from None
        done = "would get" if dry_run else "has"
        self.stdout.write(
            f"{rotation.path} {done} a new WEBHOOK_SECRET; the old one counts until {until:%F %H:%M} UTC."
        )
        self.stdout.write(_NEXT.format(until=f"{until:%F %H:%M} UTC"))
