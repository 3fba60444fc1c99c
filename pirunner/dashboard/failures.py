"""What failed, and why; failures of one kind are told once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jobs.models import Job
from jobs.selectors import latest_failures
from pirunner.dashboard.look import Look

LOOKED_AT = 50
MOST = 4


@dataclass(slots=True)
class Failure:
    """The newest job that failed so, and how many of the latest failures are like it."""

    job: Job
    count: int = 1


def show(look: Look) -> dict[str, Any]:  # noqa: ARG001  (every panel is given the look)
    """Return the kinds of the latest failures, the newest first."""
    kinds = kinds_of(latest_failures(LOOKED_AT))
    return {"failures": kinds[:MOST], "more": max(0, len(kinds) - MOST)}


def kinds_of(jobs: Iterable[Job]) -> list[Failure]:
    """Return one failure per type and reason, in the order of the jobs, which is newest first."""
    kinds: dict[tuple[str, str, str], Failure] = {}
    for job in jobs:
        kind = (job.job_type, job.error_class, job.error)
        if kind in kinds:
            kinds[kind].count += 1
        else:
            kinds[kind] = Failure(job)
    return list(kinds.values())
