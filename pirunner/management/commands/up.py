"""`manage.py up`: runs everything. See pirunner.up."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Starts every process of pirunner and serves until Ctrl-C."""

    help = "Starts the API, the workers, the clock, a private Redis and Flower, and serves until Ctrl-C."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        """Make room for the supervisor.

        It must run before the settings are read, for it makes `.env` and the private Redis that they name.
        Here they have been read already, so the process starts afresh.
        """
        os.execv(sys.executable, [sys.executable, "-m", "pirunner.up"])  # noqa: S606  (that is the point)
