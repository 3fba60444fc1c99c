"""`manage.py endpoints`: secrets of their own for some receivers."""

from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from webhooks.endpoints import EndpointRefused, remove_endpoint, rotate_endpoint, save_endpoint
from webhooks.models import Endpoint
from webhooks.signing import new_secret

HOURS = 72


class Command(BaseCommand):
    """List, set, rotate and remove the secrets of endpoints."""

    help = "Keeps secrets of their own for receivers whose address begins with a prefix."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="which there are; secrets are not shown")
        setting = actions.add_parser("set", help="keep a secret for a prefix; a new one is made and printed once")
        setting.add_argument("prefix", help="as in https://agent.example/hooks/")
        setting.add_argument("--secret-file", type=Path, help="take the secret from this file instead")
        rotating = actions.add_parser("rotate", help="make a new secret and print it once; the old one counts on")
        rotating.add_argument("prefix")
        rotating.add_argument("--hours", type=int, default=HOURS, help=f"for how long ({HOURS} unless given)")
        removing = actions.add_parser("remove", help="forget a secret: the owner's signs again")
        removing.add_argument("prefix")

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        """Do it; raises CommandError with a sentence."""
        try:
            getattr(self, f"_{action}")(**options)
        except EndpointRefused as refusal:
            raise CommandError(str(refusal)) from None

    def _list(self, **_: Any) -> None:
        for endpoint in Endpoint.objects.order_by("prefix"):
            until = endpoint.previous_until
            rotating = f"  the secret before counts until {until:%F %H:%M} UTC" if until else ""
            self.stdout.write(f"{endpoint.prefix}{rotating}")

    def _set(self, *, prefix: str, secret_file: Path | None, **_: Any) -> None:
        secret = new_secret() if secret_file is None else _read(secret_file)
        endpoint = save_endpoint(prefix, secret, now=timezone.now())
        self.stdout.write(f"Callbacks to {endpoint.prefix} are signed with a secret of their own.", self.style.NOTICE)
        if secret_file is None:
            self._show_once(secret)

    def _rotate(self, *, prefix: str, hours: int, **_: Any) -> None:
        if not 0 < hours <= 8760:
            raise CommandError("--hours takes 1 to 8760.")
        self._show_once(rotate_endpoint(prefix, until=timezone.now() + timedelta(hours=hours)))

    def _remove(self, *, prefix: str, **_: Any) -> None:
        if not remove_endpoint(prefix):
            raise CommandError(f"There is no endpoint {prefix}.")
        self.stdout.write("Removed.")

    def _show_once(self, secret: str) -> None:
        self.stdout.write(f"Give the receiver this secret; it is not shown again: {secret}")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from None
