"""A run: one attempt at a job in the hands of one worker."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


class Subject(NamedTuple):
    """What events say of every job, running or not; ``callback_url`` empty means the ``CALLBACK_URL`` setting.

    ``callback_events`` are the kinds that are called back for besides the ends, with blanks between.
    """

    job_id: int
    job_type: str
    metadata: Any
    callback_url: str
    callback_events: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job in the hands of a worker; ``token`` fences its end, ``run`` numbers this run of it.

    ``chained`` is how many jobs were claimed together under the same token.
    """

    job_id: int
    token: str
    run: int
    job_type: str
    priority: int
    input: Any
    metadata: Any
    callback_url: str
    concurrency_key: str
    attempts_made: int
    max_attempts: int
    started_at: datetime
    worker: str
    chained: int = 1
    callback_events: str = ""
    owner: str = ""
    due_at: datetime | None = None

    @property
    def subject(self) -> Subject:
        """What events say of the job."""
        return Subject(self.job_id, self.job_type, self.metadata, self.callback_url, self.callback_events)

    @property
    def attempt(self) -> int:
        """The number of the attempt under way, from 1."""
        return self.attempts_made + 1

    @property
    def run_id(self) -> str:
        """The id of this run's ``TaskResult``."""
        return f"{self.job_id}:{self.run}"
