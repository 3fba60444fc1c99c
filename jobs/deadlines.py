"""How long runs may still go on, by a clock that nobody sets.

The rows hold times of day, and those jump: a board without a battery learns the time from the network, maybe while
a job runs. So the worker's parent counts the seconds itself, from the moment it first sees a run, or its cancel.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from jobs.models import Job

CANCEL_GRACE = timedelta(seconds=5)
"""How long a cancelled handler has to stop by itself."""
WRITE_GRACE = 5.0
"""Seconds that a run has left, at least, when the database takes writes again: it may only wait to be recorded."""


class Deadlines:
    """Counts for the runs of one worker. ``steady`` is the monotonic clock in seconds, ``now`` the time of day."""

    def __init__(self) -> None:
        self._run_until: dict[tuple[int, int], float] = {}
        self._stop_until: dict[tuple[int, int], float] = {}
        self._nobody_until = float("-inf")

    def look(self, held: Sequence[Job], *, now: datetime, steady: float) -> None:
        """Begin to count for what is new among the held jobs, and forget what is no longer held."""
        runs = {(job.pk, job.run): job for job in held}
        for counted in (self._run_until, self._stop_until):
            for gone in counted.keys() - runs.keys():
                del counted[gone]
        for key, job in runs.items():
            if key not in self._run_until:
                self._run_until[key] = steady + _seconds_to_run(job)
            if key not in self._stop_until and job.cancel_requested_at is not None:
                passed = max(timedelta(), now - job.cancel_requested_at)
                self._stop_until[key] = steady + (CANCEL_GRACE - passed).total_seconds()

    def put_off(self, *, steady: float) -> None:
        """Note that the database takes no writes: nobody's time is over until a moment after it does again."""
        self._nobody_until = steady + WRITE_GRACE

    def is_over(self, job: Job, *, steady: float) -> bool:
        """Return whether a run has had all the time that it may take."""
        return steady >= max(self._nobody_until, self._run_until.get((job.pk, job.run), float("inf")))

    def must_stop(self, job: Job, *, steady: float) -> bool:
        """Return whether a cancelled run has had its time to stop by itself."""
        return steady > max(self._nobody_until, self._stop_until.get((job.pk, job.run), float("inf")))


def _seconds_to_run(job: Job) -> float:
    """Return how long a run may take; it has just begun, so nothing of that has passed."""
    if job.deadline_at is None or job.started_at is None:
        return float("inf")
    return (job.deadline_at - job.started_at).total_seconds()
