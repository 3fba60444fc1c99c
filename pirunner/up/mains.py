"""What each process runs after the fork; everything here is called in the child only."""

import importlib
import logging
import os
import warnings
from functools import partial
from typing import Any

from celery.signals import worker_process_init
from django.conf import settings
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from pirunner import env, flower_note
from pirunner.celery import app
from pirunner.pooling import share_connections
from pirunner.up.lifeline import die_with
from pirunner.up.stopping import when_asked_to_stop

BLOCKING_THREADS = 216  # 200 may wait for the end of a job, 16 stay free for everybody else
_BACKLOG = 1024
_IO_THREADS = 8
# Flower asks the workers before they are there, and says so; it introduces itself at length.
_FLOWER_LOG_LEVELS = {"flower": "WARNING", "flower.inspector": "ERROR", "kombu.mixins": "WARNING"}
_KILL_AFTER = 3  # seconds; a stream may be open for hours, and a stop does not wait for it


def api() -> None:
    """Serve the API and the admin."""
    share_connections()
    server = Granian(
        "pirunner.wsgi:application",
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=BLOCKING_THREADS,
        backlog=_BACKLOG,
        websockets=False,
        workers_kill_timeout=_KILL_AFTER,
        # At "warning" it complains about the number of threads, most of which only wait.
        log_level=LogLevels.error,
    )
    server.serve(target_loader=partial(_application, os.getpid()), wrap_loader=False)


def worker(*, attended: bool = False) -> None:
    """Run jobs, each in a child process; ``attended``: and show that it works."""
    if attended:
        importlib.import_module("pirunner.up.attending").attend("worker", may_be_deaf=True)
    parent = os.getpid()
    # Celery's own wish to die with the parent knows no answer to a parent that is already dead.
    worker_process_init.connect(lambda **_: die_with(parent), weak=False)
    _celery_worker("worker", "jobs", "-c", str(settings.WORKER_CONCURRENCY))


def io(*, attended: bool = False) -> None:
    """Send callbacks and messages, in threads; and take callbacks for the owner's phone."""
    if attended:
        importlib.import_module("pirunner.up.attending").attend("io", may_be_deaf=False)
    # By name, because this module is read before Django is.
    with importlib.import_module("webhooks.relay.server").relaying():
        _celery_worker("io", "webhooks", "-P", "threads", "-c", str(_IO_THREADS))


def clock() -> None:
    """Turn the clock: fire what is due, take back what was lost."""
    app.start(["--quiet", "beat", "-S", "schedules.clock:Clock", "--pidfile=", "-l", _log_level()])


def flower(port: int) -> None:
    """Serve Celery Flower on loopback, behind a password."""
    password = env.secret("FLOWER_PASSWORD")
    # Flower reads variables of this prefix; none of the owner's may open its API or move its port. The
    # password goes the same way, because a command line can be read by everybody.
    for name in [name for name in os.environ if name.startswith("FLOWER_")]:
        del os.environ[name]
    os.environ["FLOWER_BASIC_AUTH"] = f"admin:{password}"
    for name, level in _FLOWER_LOG_LEVELS.items():
        logging.getLogger(name).setLevel(level)
    flower_note.write(settings.RUNNER_DATA_DIR, port)
    options = [f"--port={port}", f"--url_prefix={flower_note.URL_PREFIX}", "--max_tasks=1000", "--logging=warning"]
    app.start(["--quiet", "flower", "--address=127.0.0.1", *options])


def _application(parent: int) -> Any:
    """Return the WSGI application, in the process that granian has forked to serve it."""
    die_with(parent)
    application = importlib.import_module("pirunner.wsgi").application
    # Granian waits for the answers under way; those who wait for something to happen answer now.
    when_asked_to_stop(importlib.import_module("webhooks.watcher").watcher.stop)
    return application


def _celery_worker(name: str, queue: str, *options: str) -> None:
    # Celery warns about root, because pickle over the broker would be dangerous; here only JSON is accepted.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    common = ["-Q", queue, "-n", f"{name}@%h", "--without-gossip", "--without-mingle", "-l", _log_level()]
    app.worker_main(["--quiet", "worker", *common, *options])


def _log_level() -> str:
    level = env.text("LOG_LEVEL").upper()
    return level if level in logging.getLevelNamesMapping() else "INFO"
