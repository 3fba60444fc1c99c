"""The programs that make up pirunner: one table, in the order of their start."""

import importlib
import os
from collections.abc import Mapping
from functools import partial

import django

from pirunner import env, lifesign
from pirunner.up import mains
from pirunner.up.banner import local_address
from pirunner.up.broker import PrivateBroker
from pirunner.up.keeper import Program
from pirunner.up.roles import Role
from pirunner.up.vitals import Answer, Helper, Pulse, Sign, Works

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


def programs(*, roles: frozenset[Role], flower_port: int | None, attended: bool) -> list[Program]:
    """Return the programs of these roles but the broker; ``flower_port`` None leaves Flower out.

    ``attended``: the workers show that they work, for somebody looks.
    """
    table = [
        Program("api", mains.api, stage=0, grace=5.0),
        Program(
            "worker",
            partial(mains.worker, attended=attended),
            stage=2,
            grace=22.0,
            stalled=lambda _: lifesign.deaf(),
            before_start=_expect_worker,
        ),
        Program(
            "io", partial(mains.io, attended=attended), stage=2, grace=22.0, before_start=partial(lifesign.forget, "io")
        ),
        Program("clock", mains.clock, stage=1, grace=3.0, stalled=clock_stalled, before_start=lifesign.forget),
    ]
    if flower_port is not None:
        table.append(Program("flower", partial(mains.flower, flower_port), stage=2, grace=2.0))
    return [program for program in table if program.name in list(roles)]


def pulses(
    roles: frozenset[Role], *, ask: Helper, flower_port: int | None, broker: PrivateBroker | None
) -> Mapping[str, Pulse]:
    """Return how each of these roles shows that it works."""
    table: dict[str, Pulse] = {
        Role.API: Answer(local_address(env.text("HOST"), env.integer("PORT")), ask),
        Role.WORKER: Sign("worker"),
        Role.IO: Sign("io"),
        Role.CLOCK: Sign(lifesign.CLOCK, _LONGEST_SILENCE),
    }
    if flower_port is not None:
        table[Role.FLOWER] = Answer(f"http://127.0.0.1:{flower_port}", ask)
    if broker is not None:
        table[Role.REDIS] = Works(broker.answers)
    return {role: pulse for role, pulse in table.items() if role in list(roles)}


def _expect_worker() -> None:
    lifesign.hear()
    lifesign.forget("worker")


def clock_stalled(lived: float) -> bool:
    """Tell whether the clock, running for ``lived`` seconds, has stopped turning."""
    age = lifesign.age()
    return lived > _LONGEST_CLOCK_START if age is None else age > _LONGEST_SILENCE
