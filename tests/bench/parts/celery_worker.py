"""A worker of raw Celery: prefork with two children, as pirunner's; prints ``ready`` when it listens."""

import os
from typing import Any

from celery.signals import worker_ready

from pirunner.up.lifeline import die_with
from tests.bench.parts.celery_app import QUEUE, app

OPTIONS = ("-Q", QUEUE, "-n", "bench@%h", "-c", "2", "--without-gossip", "--without-mingle", "-l", "WARNING")


def _say_ready(**_: Any) -> None:
    print("ready", flush=True)


if __name__ == "__main__":
    die_with(os.getppid())
    worker_ready.connect(_say_ready)
    app.worker_main(["--quiet", "worker", *OPTIONS])
