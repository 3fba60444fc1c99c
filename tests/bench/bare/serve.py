"""Serves the bare project: granian with the settings of `pirunner.up.mains.api`."""

import os
from functools import partial
from typing import Any

import django
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from pirunner.up.lifeline import die_with

_BLOCKING_THREADS = 216
_BACKLOG = 1024


def main() -> None:
    """Make the table and serve until a signal."""
    die_with(os.getppid())
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.bare.settings"
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    connections.close_all()
    server = Granian(
        "tests.bench.bare",
        address="127.0.0.1",
        port=int(os.environ["PORT"]),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=_BLOCKING_THREADS,
        backlog=_BACKLOG,
        websockets=False,
        workers_kill_timeout=3,
        log_level=LogLevels.error,
    )
    server.serve(target_loader=partial(_application, os.getpid()), wrap_loader=False)


def _application(parent: int) -> Any:
    die_with(parent)
    return get_wsgi_application()


if __name__ == "__main__":
    main()
