"""Fills a database with ended jobs, step by step, and measures at each size what the usual calls cost.

The arguments are the sizes, ascending. Prints as JSON for each size the median processor time in ms of each call, by
its name.
"""

import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import django

from pirunner.up.lifeline import die_with

TIMES = 60
STATES = ("completed", "completed", "completed", "failed", "cancelled")
TYPES = ("ping", "reminder", "daily-crypto-brief")
_COPY = """
INSERT INTO jobs_job ({columns})
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)
SELECT {columns} FROM numbers CROSS JOIN jobs_job WHERE id <= %s LIMIT %s
"""


def main() -> None:
    """Fill, measure, print."""
    die_with(os.getppid())
    os.environ["DJANGO_SETTINGS_MODULE"] = "pirunner.settings"
    django.setup()
    let_nobody_ring()
    costs = []
    there = 0
    for size in map(int, sys.argv[1:]):
        fill(there, size)
        there = size
        costs.append(_measure(size))
    print(json.dumps(costs))


def let_nobody_ring() -> None:
    """Leave out the rings, which only cost the time of a broker."""
    from pirunner.doorbell import Ring, doorbell

    def silently(rings: Any) -> None:
        list[Ring](rings)

    doorbell.ring = silently  # type: ignore[method-assign]


def fill(there: int, size: int) -> None:
    """Add ended jobs until there are so many: copies of the first few, which are made one by one."""
    from django.db import connection, transaction

    from jobs import tally
    from jobs.catalog import registered
    from jobs.models import Job
    from tests.jobs.making import ended

    originals = len(STATES) * len(TYPES)
    if not there:
        for state, name in itertools.product(STATES, TYPES):
            ended(state, registered()[name], result={"summary": "Generated 5-item crypto brief"}, run=1)
        there = originals
    columns = ", ".join(f'"{field.column}"' for field in Job._meta.concrete_fields if not field.primary_key)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_COPY.format(columns=columns), [size, originals, size - there])
    tally.repair()
    with connection.cursor() as cursor:
        # What either database does by itself in time, and a filling in one go comes before.
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def _measure(size: int) -> dict[str, float]:
    get = _client()
    costs = {
        "GET /jobs": _median_of(partial(get, "/jobs")),
        "GET /jobs, in the middle": _median_of(partial(get, f"/jobs?before={size // 2}")),
        "GET /jobs, failed pings": _median_of(partial(get, "/jobs?state=failed&jobType=ping")),
        "GET /jobs, waiting pings": _median_of(partial(get, "/jobs?state=waiting&jobType=ping")),
        "GET /jobs, search without a hit": _median_of(partial(get, "/jobs?q=nothing")),
        "GET /queues/stats": _median_of(partial(get, "/queues/stats")),
        "GET /metrics": _median_of(partial(get, "/metrics")),
    }
    return costs | _a_jobs_life()


def _client() -> Callable[[str], None]:
    from django.conf import settings
    from django.test import Client

    client = Client(headers={"Authorization": f"Bearer {settings.RUNNER_API_TOKEN}"})

    def get(path: str) -> None:
        assert client.get(path).status_code == 200

    return get


def _a_jobs_life() -> dict[str, float]:
    """Return what it costs to submit, to claim and to end a job."""
    from django.utils import timezone

    from jobs import lifecycle
    from jobs.catalog import find
    from jobs.endings import completed
    from jobs.services import NewJob, submit_job
    from jobs.tally import ended_jobs
    from tests.jobs.making import CLAIMER

    brief = find("daily-crypto-brief")
    assert brief is not None
    new_job = NewJob(job_type=brief, input={}, owner="bench")
    before = sum(ended_jobs().values())
    claims: list[Any] = []

    def end_one() -> None:
        lifecycle.end_many([completed(claims.pop(), {}, at=timezone.now())])

    costs = {
        "submit": _median_of(lambda: submit_job(new_job)),
        "claim": _median_of(lambda: claims.extend(lifecycle.start_many(job_type=brief, claimer=CLAIMER))),
        "end": _median_of(end_one),
    }
    assert sum(ended_jobs().values()) == before + TIMES
    return costs


def _median_of(call: Callable[[], Any]) -> float:
    """Return the median processor time of a call in ms; the first few warm up what there is to warm up."""
    seconds = []
    for _ in range(TIMES):
        began = time.process_time()
        call()
        seconds.append(time.process_time() - began)
    return 1000 * median(seconds)


if __name__ == "__main__":
    main()
