"""The order in which waiting jobs are claimed."""

from datetime import datetime, timedelta

AGE_STEP = timedelta(minutes=15)
"""How long a job waits until it counts as one priority more urgent: low ones are late, but never starved."""


def rank_of(priority: int, since: datetime) -> int:
    """Return the sort key of a job that waits since then: milliseconds, smaller is claimed sooner.

    It is the moment the job began to wait, put off by ``AGE_STEP`` for every priority below 1. So it never has to
    be recomputed as time passes, and an index holds the order.
    """
    # In numbers, not in dates: the last moments of the calendar have a rank too.
    return int(since.timestamp() * 1000) + (priority - 1) * AGE_STEP // timedelta(milliseconds=1)
