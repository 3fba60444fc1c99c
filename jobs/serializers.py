"""Jobs on the wire: what a submission may hold, and how a job is read."""

from typing import Annotated, Any, Literal

import msgspec
from django_celery_results.models import TaskResult

from jobs.digest import Account, digest_of
from jobs.models import Artifact, Job, LogLine
from jobs.spending import Spent
from jobs.states import State
from pirunner.times import epoch_ms, iso

NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps no NUL in a text column."""


class QuietHoursBody(msgspec.Struct, rename={"start": "from", "end": "to"}, frozen=True):
    """``quietHours`` of a schedule: times of day in its zone, past midnight if the second is not the later one."""

    start: Annotated[str, msgspec.Meta(min_length=1, max_length=5, description="Such as 22:00.")]
    end: Annotated[str, msgspec.Meta(min_length=1, max_length=5, description="Such as 07:00.")]


class ScheduleBody(msgspec.Struct, rename="camel", frozen=True):
    """``schedule`` of a submission: when to run, once or again and again."""

    run_at: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    every_seconds: float | None = None
    cron: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None
    tz: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    end_at: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    misfire: Literal["once", "skip", "all"] = "once"
    overlap: Literal["skip", "queue", "replace", "allow"] = "skip"
    quiet_hours: QuietHoursBody | None = None
    jitter_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0

    @property
    def repeats(self) -> bool:
        """Whether it is for more than one time."""
        return self.cron is not None or self.every_seconds is not None


CallbackEvent = Literal[
    "job.completed",
    "job.failed",
    "job.cancelled",
    "job.started",
    "job.progress",
    "schedule.missed",
    "runner.recovered",
]
"""What may stand in ``callbackEvents``; the first three are sent anyway."""


class SubmissionBody(msgspec.Struct, rename="camel", frozen=True):
    """The body of ``POST /jobs``; fields it does not know are ignored, and named in ``warnings``."""

    job_type: Annotated[str, msgspec.Meta(min_length=1, max_length=100, description="A name from /job-types.")]
    input: Any = None
    priority: Annotated[int, msgspec.Meta(ge=1, le=10, description="1 is the most urgent.")] = 5
    callback_url: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)] | None = None
    callback_events: Annotated[list[CallbackEvent], msgspec.Meta(max_length=20)] | None = None
    metadata: dict[str, Any] | None = None
    concurrency_key: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=NO_NUL)] | None = None
    on_conflict: Literal["queue", "reject", "replace"] = "queue"
    schedule_backend: Literal["celery", "bullmq", "systemd"] = "celery"
    idempotency_key: Annotated[str, msgspec.Meta(min_length=8, max_length=128, pattern=NO_NUL)] | None = None
    schedule: ScheduleBody | None = None

    @property
    def replaces(self) -> bool:
        """Whether the job, or each job of the schedule, cancels others of the client's concurrency key."""
        overlap = self.schedule.overlap if self.schedule else ""
        return self.concurrency_key is not None and "replace" in {self.on_conflict, overlap}


def read_job(job: Job, *, left_out: bool = False) -> dict[str, Any]:
    """Return a job as lists show it; ``left_out`` says that its contents are too large for a list."""
    more = {"leftOut": ["returnvalue", "data.input", "data.metadata"]} if left_out else {}
    return {
        **more,
        "id": str(job.pk),
        "name": job.job_type,
        "state": job.state,
        "attemptsMade": job.attempts_made,
        "progress": 100 if job.state == State.COMPLETED else job.progress,
        "returnvalue": job.result,
        "failedReason": job.error or None,
        "timestamp": epoch_ms(job.created_at),
        "processedOn": epoch_ms(job.started_at),
        "finishedOn": epoch_ms(job.finished_at),
        "data": {
            "jobType": job.job_type,
            "input": job.input,
            "callbackUrl": job.callback_url or None,
            "metadata": job.metadata,
            "schedule": job.schedule,
        },
        "summary": job.summary or None,
        "statusMessage": job.status_message or None,
        "priority": job.priority,
        "concurrencyKey": job.concurrency_key or None,
        "callbackEvents": job.callback_events.split(),
        "scheduleId": job.schedule_id or None,
        "cancelRequestedAt": iso(job.cancel_requested_at),
        "maxAttempts": job.max_attempts,
        "dueAt": iso(job.due_at),
        "createdAt": iso(job.created_at),
        "startedAt": iso(job.started_at),
        "finishedAt": iso(job.finished_at),
        "worker": job.worker or None,
    }


def read_job_whole(
    job: Job,
    *,
    runs: list[TaskResult],
    artifacts: list[Artifact],
    last_lines: list[LogLine],
    spent: Spent | None = None,
) -> dict[str, Any]:
    """Return one job with its attempts, its artifacts, its digest and what it has spent on language models."""
    return {
        **read_job(job),
        "digest": digest_of(_account(job, artifacts, last_lines)),
        "attempts": [_read_run(run) for run in runs],
        "artifacts": [read_artifact(artifact) for artifact in artifacts],
        "spent": None if spent is None else {"tokens": spent.tokens, "usd": spent.usd},
    }


def read_artifact(artifact: Artifact) -> dict[str, Any]:
    """Return a file of a job, with the address to get it from."""
    return {
        "id": str(artifact.pk),
        "name": artifact.name,
        "mediaType": artifact.media_type,
        "size": artifact.size,
        "sha256": artifact.sha256,
        "url": _address(artifact),
    }


def read_line(line: LogLine) -> dict[str, Any]:
    """Return a line of a job's log."""
    return {"seq": line.pk, "at": iso(line.at), "level": line.level, "message": line.message}


def _read_run(run: TaskResult) -> dict[str, Any]:
    return {
        "id": run.task_id,
        "status": run.status,
        "worker": run.worker,
        "startedAt": iso(run.date_started),
        "endedAt": None if run.status == "STARTED" else iso(run.date_done),
    }


def _address(artifact: Artifact) -> str:
    return f"/artifacts/{artifact.pk}"


def _account(job: Job, artifacts: list[Artifact], last_lines: list[LogLine]) -> Account:
    return Account(
        job_id=str(job.pk),
        state=State(job.state),
        progress=job.progress,
        status_message=job.status_message,
        summary=job.summary,
        error=job.error,
        error_class=job.error_class,
        attempts_made=job.attempts_made,
        max_attempts=job.max_attempts,
        due=iso(job.due_at) or "",
        cancel_requested=job.cancel_requested_at is not None,
        lines=[f"{line.level}: {line.message}" for line in last_lines],
        links=[_address(artifact) for artifact in artifacts],
    )
