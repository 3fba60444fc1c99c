"""What happened to a job, for its page: the moments of its life, its runs, its callbacks."""

import json
from collections.abc import Sequence
from typing import Any

from django_celery_results.models import TaskResult

from jobs.admin.shown import Shown, between
from jobs.models import Job
from jobs.states import State
from webhooks.models import Delivery, DeliveryAttempt

RUNS = 50
"""How many runs the page lists: the last ones."""
DELIVERIES = 20
_RUN_STATES = {"SUCCESS": "completed", "FAILURE": "failed", "REVOKED": "cancelled", "STARTED": "active"}
_RUN_WORDS = {"SUCCESS": "completed", "FAILURE": "failed", "REVOKED": "stopped", "STARTED": "running"}


def runs_of(job: Job) -> list[dict[str, Any]]:
    """Return the last runs, newest first."""
    run_ids = [f"{job.pk}:{run}" for run in range(max(1, job.run - RUNS + 1), job.run + 1)]
    found = TaskResult.objects.filter(task_id__in=run_ids)
    # The results of those that succeeded may be large, and are shown elsewhere.
    said = dict(found.filter(status__in=["FAILURE", "REVOKED"]).values_list("task_id", "result"))
    rows = sorted(found.defer("result"), key=lambda row: -_number_of(row))
    return [_run(row, job, _said(said.get(row.task_id, ""))) for row in rows]


def _run(row: TaskResult, job: Job, said: str) -> dict[str, Any]:
    is_open = row.status == "STARTED"
    return {
        "row": row,
        "number": _number_of(row),
        "state": _RUN_STATES.get(row.status, "unknown"),
        "word": _RUN_WORDS.get(row.status, row.status.lower()),
        "took": between(row.date_started, row.date_done) if row.date_started and not is_open else "",
        "is_open": is_open,
        "said": said,
        "traceback": row.traceback or "",
        "is_last": _number_of(row) == job.run,
    }


def _said(text: str) -> str:
    """Return why a run came to nothing, of what was recorded of it."""
    recorded = json.loads(text) if text else None
    return str(recorded.get("error", "")) if isinstance(recorded, dict) else ""


def _number_of(row: TaskResult) -> int:
    number = row.task_id.rpartition(":")[2]
    return int(number) if number.isdigit() else 0


def deliveries_of(job: Job) -> list[dict[str, Any]]:
    """Return the newest callbacks of a job, each with its last attempts."""
    rows = list(Delivery.objects.filter(job_id=job.pk).defer("body").order_by("-pk")[:DELIVERIES])
    attempts: dict[int, list[DeliveryAttempt]] = {row.pk: [] for row in rows}
    for attempt in (
        DeliveryAttempt.objects.filter(delivery_id__in=attempts).defer("body").order_by("delivery", "number")
    ):
        attempts[attempt.delivery_id].append(attempt)
    return [{"row": row, "attempts": attempts[row.pk][-5:]} for row in rows]


def steps_of(job: Job) -> list[dict[str, Any]]:
    """Return the moments of a job's life in order, each with how long it was until then."""
    state = Shown(job)
    runs_again = job.started_at is not None and job.started_at < job.due_at
    moments: list[tuple[str, Any, str]] = [("Accepted", job.created_at, "ok")]
    if (job.due_at - job.created_at).total_seconds() > 1:
        words = "Next attempt due" if state.retries_next else "Due again" if runs_again else "Due"
        moments.append((words, job.due_at, "delayed" if job.state == State.DELAYED else "ok"))
    if job.started_at:
        moments.append(("Last started" if job.run > 1 or runs_again else "Started", job.started_at, "ok"))
    if job.cancel_requested_at:
        moments.append((f"Cancelled by {job.cancel_requested_by}", job.cancel_requested_at, "warn"))
    moments.sort(key=lambda moment: moment[1])
    if job.finished_at:
        moments.append((job.state.capitalize(), job.finished_at, job.state))
    elif state.is_active:
        moments.append(("Running", None, "active"))
    elif job.state == State.WAITING:
        moments.append(("Waiting for a worker", None, "waiting"))
    return [
        {"words": words, "at": at, "state": mark, "after": _after(moments, place)}
        for place, (words, at, mark) in enumerate(moments)
    ]


def _after(moments: Sequence[tuple[str, Any, str]], place: int) -> str:
    at, before = moments[place][1], moments[place - 1][1] if place else None
    return between(before, at) if at is not None and before is not None else ""
