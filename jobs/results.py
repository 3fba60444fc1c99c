"""The history of a job: one ``TaskResult`` row of django-celery-results per run, id ``<job id>:<run>``.

They are written here, in the transactions that start and end runs, and not by Celery's result backend, which was
seen to record a failure for a success while the database was locked.
"""

import json
from collections.abc import Mapping, Sequence

from django_celery_results.models import TaskResult

from jobs.endings import Ending
from jobs.runs import Claim
from jobs.states import State
from pirunner.bulk import insert_many

_STATUS = {
    State.COMPLETED: "SUCCESS",
    State.FAILED: "FAILURE",
    State.DELAYED: "FAILURE",
    State.CANCELLED: "REVOKED",
}
_IDS = 500
"""How many ids one statement names at most."""
_OVER_START = """
ON CONFLICT (task_id) DO UPDATE
   SET status = excluded.status, result = excluded.result, traceback = excluded.traceback,
       worker = excluded.worker, date_done = excluded.date_done
"""


def task_name(job_type: str) -> str:
    """Return the Celery task that runs a job type, by which Flower tells types apart."""
    return f"jobs.{job_type}"


def record_starts(claims: Sequence[Claim]) -> None:
    """Write a ``STARTED`` row for each run."""
    insert_many([_row(claim, "STARTED") for claim in claims])


def record_ends(endings: Sequence[Ending]) -> None:
    """Write how runs ended, over their ``STARTED`` rows if there are any."""
    insert_many([_ended_row(ending) for ending in endings], on_conflict=_OVER_START)


def _ended_row(ending: Ending) -> TaskResult:
    status = _STATUS.get(ending.state, "FAILURE" if ending.counted else "REVOKED")
    row = _row(ending.claim, status)
    row.result = ending.result_text or json.dumps({"error": ending.error})
    row.traceback = ending.traceback or None
    return row


def _row(claim: Claim, status: str) -> TaskResult:
    return TaskResult(
        task_id=claim.run_id,
        task_name=task_name(claim.job_type),
        task_args=json.dumps([claim.job_id]),
        status=status,
        worker=claim.worker,
        content_type="application/json",
        content_encoding="utf-8",
        date_started=claim.started_at,
    )


def delete_history(last_runs: Mapping[int, int]) -> None:
    """Delete the rows of all runs of these jobs; the mapping tells the number of the last run of each."""
    run_ids = [f"{job_id}:{run}" for job_id, last_run in last_runs.items() for run in range(1, last_run + 1)]
    for start in range(0, len(run_ids), _IDS):
        TaskResult.objects.filter(task_id__in=run_ids[start : start + _IDS]).delete()


def history(job_id: int, last_run: int) -> list[TaskResult]:
    """Return the rows of a job's runs, oldest first."""
    run_ids = [f"{job_id}:{run}" for run in range(1, last_run + 1)]
    rows = TaskResult.objects.filter(task_id__in=run_ids)
    return sorted(rows, key=lambda row: int(row.task_id.rpartition(":")[2]))
