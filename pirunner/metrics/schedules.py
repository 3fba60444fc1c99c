"""Schedules: how many there are, and whether what is due is fired, and in time."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import Metric

from pirunner.metrics.families import gauge, gauges
from schedules.selectors import count_enabled, lateness, latest_outcomes, overdue_seconds

LATEST = 200
"""How many of the latest fires are looked at: the occurrences themselves may be many."""
QUANTILES = (0.5, 0.99, 1.0)


def read(now: datetime) -> Iterator[Metric]:
    """Yield what there is to say of schedules."""
    enabled, paused = count_enabled()
    states = {("enabled",): enabled, ("paused",): paused}
    yield gauges("pirunner_schedules", "Schedules, by whether they are enabled.", ("state",), states)
    yield gauge(
        "pirunner_schedule_overdue_seconds",
        "For how long the oldest due time that has not been dealt with has been due.",
        overdue_seconds(now),
    )
    yield gauges(
        "pirunner_schedule_lateness_seconds",
        f"How late the latest {LATEST} due times were fired.",
        ("quantile",),
        _quantiles(lateness(LATEST)),
    )
    yield gauges(
        "pirunner_schedule_latest_occurrences",
        f"What became of the latest {LATEST} occurrences; why they were skipped or caught up.",
        ("outcome", "reason"),
        latest_outcomes(LATEST),
    )


def _quantiles(late: list[float]) -> dict[tuple[str], float]:
    """Return the quantiles of ascending values, none of none."""
    if not late:
        return {}
    return {(f"{part:g}",): late[min(len(late) - 1, int(part * len(late)))] for part in QUANTILES}
