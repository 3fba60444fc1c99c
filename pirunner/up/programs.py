"""The programs that make up pirunner: one table, in the order of their start."""

import importlib
import os
from functools import partial

import django

from pirunner import lifesign
from pirunner.up import mains
from pirunner.up.broker import PrivateBroker
from pirunner.up.keeper import Program

# Loaded once by the parent, before it forks, so that all share the memory.
PRELOADED = (
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "celery.beat",
    "kombu.transport.redis",
    "jobs.tasks",
    "webhooks.tasks",
    "webhooks.relay.server",
    "schedules.clock",
    "pirunner.urls",
    "pirunner.wsgi",
)
_LONGEST_SILENCE = 15.0  # seconds between two ticks of the clock
_LONGEST_CLOCK_START = 60.0  # seconds until its first tick


def preload() -> None:
    """Load Django, Celery and the apps into this process; the settings are read here for the first time."""
    # A worker that gets SIGTERM ends softly: it gives its jobs some seconds, then gives them back.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    # In every worker Celery would run the system checks, which load the admin; nobody needs them twice.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pirunner.settings")
    django.setup()
    for name in PRELOADED:
        importlib.import_module(name)


def broker_program(broker: PrivateBroker) -> Program:
    """Return the private Redis; it is stopped last, because everybody talks to it."""
    return Program("redis", broker.serve, stage=3, grace=2.0)


def programs(*, flower_port: int | None) -> list[Program]:
    """Return the programs but the broker; ``flower_port`` None leaves Flower out."""
    table = [
        Program("api", mains.api, stage=0, grace=5.0),
        Program(
            "worker",
            mains.worker,
            stage=2,
            grace=22.0,
            stalled=lambda _: lifesign.deaf(),
            before_start=lifesign.hear,
        ),
        Program("io", mains.io, stage=2, grace=22.0),
        Program("clock", mains.clock, stage=1, grace=3.0, stalled=clock_stalled, before_start=lifesign.forget),
    ]
    if flower_port is not None:
        table.append(Program("flower", partial(mains.flower, flower_port), stage=2, grace=2.0))
    return table


def clock_stalled(lived: float) -> bool:
    """Tell whether the clock, running for ``lived`` seconds, has stopped turning."""
    age = lifesign.age()
    return lived > _LONGEST_CLOCK_START if age is None else age > _LONGEST_SILENCE
