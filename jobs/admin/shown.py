"""How a job is put into words and figures on its pages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import shorten

from django.utils import timezone

from jobs.models import Job
from jobs.states import FINAL_STATES, State
from pirunner.wording import span

LINE = 160


@dataclass(frozen=True, slots=True)
class Shown:
    """A job, and what its row in the list or the head of its page says of it."""

    job: Job

    @property
    def line(self) -> str:
        """What came of it, what it does just now, or why it waits: one line."""
        job = self.job
        if job.state == State.ACTIVE:
            return shorten(job.status_message, LINE, placeholder=" …")
        return shorten(job.summary or job.error or job.status_message, LINE, placeholder=" …")

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.job.state in FINAL_STATES

    @property
    def is_active(self) -> bool:
        """Whether a worker holds it."""
        return self.job.state == State.ACTIVE

    @property
    def is_stopping(self) -> bool:
        """Whether its worker has been asked to stop."""
        return self.is_active and self.job.cancel_requested_at is not None

    @property
    def retries_next(self) -> bool:
        """Whether an attempt has failed and the next one is still to come."""
        return self.job.state == State.DELAYED and self.job.attempts_made > 0

    @property
    def shows_failure(self) -> bool:
        """Whether the failure of its last attempt is what its reader wants to know."""
        return self.retries_next or self.job.state in {State.FAILED, State.CANCELLED}

    @property
    def took(self) -> str:
        """How long it ran from its last start to its end, "" while it runs."""
        job = self.job
        if job.started_at is None or job.finished_at is None or not self.is_ended:
            return ""
        return between(job.started_at, job.finished_at)

    @property
    def attempt(self) -> int:
        """The number of the attempt under way, or of the last one."""
        return self.job.attempts_made + (1 if self.is_active else 0)


def between(start: datetime, end: datetime) -> str:
    """Return how long it is from one moment to another; thousandths while they matter."""
    seconds = max(0.0, (end - start).total_seconds())
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else span(seconds)


def is_past(moment: datetime, by: timedelta) -> bool:
    """Return whether a moment is over, and so long ago."""
    return timezone.now() - moment > by
