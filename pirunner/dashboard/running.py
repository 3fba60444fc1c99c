"""What runs, and how far it is."""

from typing import Any

from jobs.selectors import running_jobs
from pirunner.dashboard.look import Look

MOST = 8


def show(look: Look) -> dict[str, Any]:
    """Return the jobs that run, the longest running first, and how many more there are."""
    jobs = running_jobs(MOST)
    return {"jobs": jobs, "more": max(0, look.states["active"] - len(jobs))}
