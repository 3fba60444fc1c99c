"""Jobs in a terminal: the rows of a table, one job as lines, its progress as a bar."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from jobs.models import Job, LogLine
from jobs.states import FINAL_STATES, State
from pirunner.progress import bar
from pirunner.tables import Column, lines_of_fields, lines_of_table, printable
from pirunner.wording import size, span, when

LONGEST_VALUE = 4000


def columns(paint: Callable[[str], str]) -> list[Column]:
    """Return the columns of a list of jobs."""
    return [
        Column("id", right=True),
        Column("type", shrinks=True),
        Column("state", paint=paint),
        Column("age", right=True),
        Column("took", right=True),
        Column("tries", right=True),
        Column("what", shrinks=True),
    ]


def row(job: Job, now: datetime) -> list[Any]:
    """Return what a list shows of a job."""
    age = span((now - job.created_at).total_seconds())
    return [
        job.pk,
        job.job_type,
        job.state,
        age,
        span(_took(job, now)),
        f"{job.attempts_made}/{job.max_attempts}",
        _what(job),
    ]


def status_of(job: Job) -> str:
    """Return a job's state in one line, with a bar while it runs."""
    if job.state != State.ACTIVE:
        return " ".join(filter(None, (f"job {job.pk}", job.state, printable(_what(job)) if _what(job) else "")))
    percent = f"{bar(job.progress)} {job.progress:>3} %"
    return " ".join(filter(None, (f"job {job.pk}", job.state, percent, printable(job.status_message or " ").strip())))


def line_of_log(line: LogLine, zone: tzinfo) -> str:
    """Return a line of a job's log."""
    return f"{line.at.astimezone(zone):%H:%M:%S} {line.level:<7} {printable(line.message)}"


def lines_of_job(whole: Mapping[str, Any], job: Job, zone: tzinfo, *, width: int | None) -> list[str]:
    """Return one job; ``whole`` is what the API shows of it."""
    lines = lines_of_fields(_fields(job, zone))
    lines += _section("input", _json_lines(whole["data"]["input"]))
    lines += _section("result", _json_lines(whole["returnvalue"]))
    lines += _section("attempts", _runs(whole["attempts"], width))
    lines += _section("artifacts", _artifacts(whole["artifacts"], width))
    return lines + _section("last lines of its log", [printable(line) for line in whole["digest"]["lastLog"]])


def _fields(job: Job, zone: tzinfo) -> dict[str, Any]:
    fields = {
        "job": f"{job.pk}  {job.job_type}",
        "state": status_of(job).removeprefix(f"job {job.pk} ") if job.state == State.ACTIVE else job.state,
        "summary": job.summary,
        "failed": job.error,
        "attempts": f"{job.attempts_made} of {job.max_attempts}",
        "priority": job.priority,
        "accepted": when(job.created_at, zone),
        "due": when(job.due_at, zone) if job.state == State.DELAYED else "",
        "started": when(job.started_at, zone),
        "finished": when(job.finished_at, zone),
        "worker": job.worker,
        "schedule": job.schedule_id,
        "callback": job.callback_url,
        "metadata": None if job.metadata is None else json.dumps(job.metadata, ensure_ascii=False),
        "cancelled by": job.cancel_requested_by,
        "submitted by": job.owner,
    }
    return {name: value for name, value in fields.items() if value not in {None, ""}}


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _json_lines(value: Any) -> list[str]:
    if value is None or value == {}:
        return []
    text = json.dumps(value, indent=2, ensure_ascii=False)
    cut = text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}\n… {len(text)} characters; --json has all"
    return [printable(line) for line in cut.splitlines()]


def _runs(runs: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
    titles = [Column("run"), Column("status"), Column("started"), Column("ended"), Column("worker", shrinks=True)]
    rows = [[run["id"], run["status"], run["startedAt"], run["endedAt"], run["worker"]] for run in runs]
    return lines_of_table(titles, rows, width=width) if rows else []


def _artifacts(artifacts: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
    titles = [Column("id", right=True), Column("name", shrinks=True), Column("type"), Column("size", right=True)]
    rows = [[file["id"], file["name"], file["mediaType"], size(file["size"])] for file in artifacts]
    return lines_of_table(titles, rows, width=width) if rows else []


def _took(job: Job, now: datetime) -> float | None:
    if job.started_at is None:
        return None
    end = job.finished_at if job.state in FINAL_STATES else now if job.state == State.ACTIVE else None
    return None if end is None else max(0.0, (end - job.started_at).total_seconds())


def _what(job: Job) -> str:
    if job.state == State.ACTIVE:
        return f"{job.progress} % {job.status_message}".strip()
    return job.summary or job.error or ""
