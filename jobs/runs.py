"""A run: one attempt at a job in the hands of one worker."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


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
    attempts_made: int
    max_attempts: int
    started_at: datetime
    worker: str
    chained: int = 1

    @property
    def attempt(self) -> int:
        """The number of the attempt under way, from 1."""
        return self.attempts_made + 1

    @property
    def run_id(self) -> str:
        """The id of this run's ``TaskResult``."""
        return f"{self.job_id}:{self.run}"
