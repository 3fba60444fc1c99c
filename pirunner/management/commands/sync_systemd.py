"""``manage.py sync_systemd``: signed manifests become systemd timers. Touches no database and no broker."""

import os
import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand

from installer import cli
from pirunner import env


class Command(BaseCommand):
    """Sync systemd's timers with the schedules that were handed to it."""

    help = "Turns the signed manifests of schedules into systemd timers; without --apply, only to be looked at."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        cli.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it; ends the process with 1 if something was refused, and 3 if it could not be done."""
        ended = cli.run(Namespace(**options), os.environ, env.ROOT, self._say)
        if ended:
            sys.exit(ended)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
