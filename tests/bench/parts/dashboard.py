"""Fills a database with ended jobs, step by step, and measures at each size what the panels of the front page cost.

The arguments are the sizes, ascending. Prints as JSON for each size the median time in ms of each panel, by its name,
queries and template together.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

import django

from pirunner.up.lifeline import die_with
from tests.bench.parts.growth import fill, let_nobody_ring

TIMES = 15
HOURS, TYPES, STATES = 24 * 30, 12, ("completed", "failed", "cancelled")


def main() -> None:
    """Fill, measure, print."""
    die_with(os.getppid())
    os.environ["DJANGO_SETTINGS_MODULE"] = "pirunner.settings"
    django.setup()
    let_nobody_ring()
    _fill_hours()
    costs = []
    there = 0
    for size in map(int, sys.argv[1:]):
        fill(there, size)
        there = size
        costs.append(_measure())
    print(json.dumps(costs))


def _fill_hours() -> None:
    """Write the rollup of a busy month."""
    from django.utils import timezone

    from jobs.models import JobHour

    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    JobHour.objects.bulk_create(
        JobHour(
            hour=hour - timedelta(hours=back),
            job_type=f"type-{number}",
            state=state,
            ended=7,
            seconds=1.0,
            buckets=[0] * 12,
        )
        for back in range(HOURS)
        for number in range(TYPES)
        for state in STATES
    )


def _measure() -> dict[str, float]:
    from django.contrib.auth.models import User
    from django.test import RequestFactory

    from pirunner.dashboard.look import Look
    from pirunner.dashboard.panels import PANELS

    request = RequestFactory().get("/admin/")
    request.user, _ = User.objects.get_or_create(username="bench", is_superuser=True, is_staff=True)

    def draw(panel: Any) -> Callable[[], Any]:
        return lambda: panel.render(request, Look(request.user))

    return {panel.name: _median_of(draw(panel)) for panel in PANELS}


def _median_of(call: Callable[[], Any]) -> float:
    """Return the median time of a call in ms; the first few warm up what there is to warm up."""
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return 1000 * median(seconds)


if __name__ == "__main__":
    main()
