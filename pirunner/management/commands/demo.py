"""`manage.py demo`: shows one job from start to end. See pirunner.demo."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Submits a daily-crypto-brief to a pirunner of its own and shows the job, its artifact and its callback."""

    help = "Starts pirunner, submits daily-crypto-brief, shows job, artifact and callback, and stops."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        """Start afresh: the secrets may have to be made before the settings are read."""
        os.execv(sys.executable, [sys.executable, "-m", "pirunner.demo"])  # noqa: S606  (that is the point)
