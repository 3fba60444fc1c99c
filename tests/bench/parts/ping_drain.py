"""Fills the jobs of a running stack with pings that nobody has rung for, rings once, and waits until all are done.

The argument is how many. Prints the seconds of both as JSON.
"""

import json
import os
import sys
import time
from collections.abc import Sequence

import django

from pirunner.up.lifeline import die_with

BATCH = 100
LOOK_SECONDS = 0.005


def main() -> None:
    """Fill, ring, wait, print."""
    die_with(os.getppid())
    os.environ["DJANGO_SETTINGS_MODULE"] = "pirunner.settings"
    django.setup()
    count = int(sys.argv[1])
    began = time.perf_counter()
    _fill(count)
    filled = time.perf_counter()
    _ring()
    _wait(count)
    print(json.dumps({"fill": filled - began, "drain": time.perf_counter() - filled}))


def _fill(count: int) -> None:
    from jobs import services
    from jobs.catalog import find

    def nobody_rings(jobs: Sequence[object]) -> None:
        del jobs

    # Otherwise the worker would begin with the first batch.
    services.ring_jobs = nobody_rings
    ping = find("ping")
    assert ping is not None
    new_job = services.NewJob(job_type=ping, input={"hello": "world"}, owner="bench")
    for start in range(0, count, BATCH):
        services.submit_many([new_job] * min(BATCH, count - start))


def _ring() -> None:
    from jobs.results import task_name
    from pirunner.doorbell import Ring, publish

    publish(Ring(task_name("ping"), 0, "jobs", shared=True))


def _wait(count: int) -> None:
    """Wait until nothing waits or runs; the clock would ring again only after 10 s."""
    from jobs.models import Job

    while Job.objects.waiting().exists() or Job.objects.active().exists():
        time.sleep(LOOK_SECONDS)
    done = Job.objects.filter(state="completed", owner="bench").count()
    assert done >= count, f"{done} of {count} jobs are completed"


if __name__ == "__main__":
    main()
