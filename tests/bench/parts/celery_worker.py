"""A worker of raw Celery: prefork with two children, as pirunner's."""

import os

from pirunner.up.lifeline import die_with
from tests.bench.parts.celery_app import QUEUE, app

if __name__ == "__main__":
    die_with(os.getppid())
    app.worker_main(
        [
            "--quiet",
            "worker",
            "-Q",
            QUEUE,
            "-n",
            "bench@%h",
            "-c",
            "2",
            "--without-gossip",
            "--without-mingle",
            "-l",
            "INFO",
        ]
    )
