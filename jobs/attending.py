"""Attending a job: what is new of it, step by step, until it has ended or time is over."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from jobs.listing import CONTENTS
from jobs.models import Job, LogLine
from jobs.selectors import lines_of_job
from jobs.states import FINAL_STATES
from pirunner.errors import NotFound

BATCH = 500
PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Step:
    """A job as it stands, without its contents, and the log lines that are new."""

    job: Job
    lines: list[LogLine]


def attend(job_id: int, *, seconds: float | None = None, after_line: int = 0) -> Iterator[Step]:
    """Yield what is new of a job until it has ended, or for so many seconds. Raises ``NotFound``."""
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        step = _step(job_id, after_line)
        yield step
        after_line = step.lines[-1].pk if step.lines else after_line
        if len(step.lines) == BATCH:
            continue
        if step.job.state in FINAL_STATES or (until is not None and time.monotonic() >= until):
            return
        time.sleep(PAUSE_SECONDS if until is None else max(0.0, min(PAUSE_SECONDS, until - time.monotonic())))


def _step(job_id: int, after_line: int) -> Step:
    # The job before its lines: when its state is final, all lines are there.
    job = Job.objects.filter(pk=job_id).defer(*CONTENTS).first()
    if job is None:
        raise NotFound(f"Job {job_id} has been deleted.")
    return Step(job, lines_of_job(job_id, after=after_line, limit=BATCH))
