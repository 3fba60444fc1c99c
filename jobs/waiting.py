"""Waiting for a job in a terminal: its log above, its progress at the foot, an exit code at the end."""

from datetime import tzinfo

from jobs.attending import Step, attend
from jobs.models import Job
from jobs.states import FINAL_STATES, State
from jobs.terminal import line_of_log, status_of
from pirunner.commands import FAILED, TIMED_OUT
from pirunner.progress import FootLine


def watch_job(
    job_id: int, foot: FootLine, zone: tzinfo, *, seconds: float | None = None, log: bool = True, after_line: int = 0
) -> Job:
    """Show a job until it has ended, or for so many seconds; return it as it is then. Raises ``NotFound``."""
    step: Step | None = None
    try:
        for step in attend(job_id, seconds=seconds, after_line=after_line):
            for line in step.lines if log else ():
                foot.above(line_of_log(line, zone))
            if step.job.state not in FINAL_STATES:
                foot.show(status_of(step.job))
    finally:
        foot.close()
    assert step is not None  # noqa: S101  (there is a first step, or NotFound)
    return step.job


def wait_for_job(job_id: int, *, seconds: float | None = None) -> Job:
    """Wait silently; returns what ``watch_job`` does."""
    *_, last = attend(job_id, seconds=seconds)
    return last.job


def exit_code_of(job: Job) -> int:
    """Return 0 for a job that completed, 1 for one that did not, 3 for one that has not ended."""
    if job.state not in FINAL_STATES:
        return TIMED_OUT
    return 0 if job.state == State.COMPLETED else FAILED
