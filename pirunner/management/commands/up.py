"""`manage.py up`: runs everything. See pirunner.up."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Starts every process of pirunner and serves until Ctrl-C."""

    help = "Starts the API, the workers, the clock, a private Redis and Flower, and serves until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the option, which is read again where it is used."""
        parser.add_argument(
            "--role", action="append", default=[], help="run this part only (redis, api, worker, io, clock, flower)"
        )

    def handle(self, *_: Any, role: list[str], **__: Any) -> None:
        """Make room for the supervisor.

        It must run before the settings are read, for it makes `.env` and the private Redis that they name.
        Here they have been read already, so the process starts afresh.
        """
        roles = [f"--role={name}" for name in role]
        os.execv(sys.executable, [sys.executable, "-m", "pirunner.up", *roles])  # noqa: S606  (that is the point)
