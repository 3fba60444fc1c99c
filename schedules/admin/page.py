"""The page of one schedule: what it is, when it fires, what became of it, and who did what to it."""

import json
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from jobs.models import Job
from pirunner.installer_status import installer_state, last_account
from pirunner.wording import span
from schedules.admin.acts import ACTS
from schedules.admin.strip import strip_of, written, zone_of
from schedules.admin.words import MISFIRES, OVERLAPS, reason_in_words
from schedules.models import Occurrence, Schedule
from schedules.rules import Backend
from schedules.selectors import audit_of
from schedules.serializers import description_of
from schedules.systemd import manifests

ENTRIES = 30
"""How many entries of the audit the page shows."""
JOBS = 10
ROWS = 12
"""How many occurrences are listed below the strip."""


def state_of(schedule: Schedule) -> str:
    """Return whether a schedule is scheduled, paused, or over because it will not be due again."""
    if not schedule.enabled:
        return "paused"
    return "scheduled" if schedule.next_due_at else "over"


def context_of(schedule: Schedule) -> dict[str, Any]:
    """Return all that the page shows of a schedule."""
    now = timezone.now()
    strip, zone = strip_of(schedule, now), zone_of(schedule)
    return {
        "schedule": schedule,
        "state": state_of(schedule),
        "sentence": description_of(schedule),
        "strip": strip,
        "rows": [_row(occurrence, zone) for occurrence in strip.occurrences[:ROWS]],
        "next_local": written(schedule.next_due_at, zone) if schedule.next_due_at else "",
        "jobs": [_job(job) for job in _recent_jobs(schedule)],
        "entries": audit_of(schedule, limit=ENTRIES),
        "facts": facts_of(schedule),
        "input": _json(schedule.input),
        "metadata": _json(schedule.metadata) if schedule.metadata else "",
        "timing": _json(schedule.timing),
        "systemd": _systemd(schedule) if schedule.backend == Backend.SYSTEMD else None,
        "acts": [ACTS["pause" if schedule.enabled else "resume"], ACTS["run"]],
    }


def facts_of(schedule: Schedule) -> list[tuple[str, str]]:
    """Return the rules of a schedule as pairs of words, without what is empty."""
    quiet = f"{schedule.quiet_from} to {schedule.quiet_to}" if schedule.quiet_from else ""
    pairs = [
        ("Time zone", schedule.zone),
        ("Who rings", "systemd" if schedule.backend == Backend.SYSTEMD else "pirunner's clock"),
        ("If due times were missed", MISFIRES.get(schedule.misfire, schedule.misfire)),
        ("If the last job still runs", OVERLAPS.get(schedule.overlap, schedule.overlap)),
        ("Quiet hours", quiet),
        ("Jitter", f"up to {span(schedule.jitter_seconds)}" if schedule.jitter_seconds else ""),
        ("Priority", str(schedule.priority)),
        ("Callback", schedule.callback_url),
        ("Also tells", schedule.callback_events.replace(" ", ", ")),
        ("Concurrency key", schedule.concurrency_key),
        ("Made by", schedule.owner),
        ("Id", schedule.public_id),
        ("Version", str(schedule.version)),
    ]
    return [(name, value) for name, value in pairs if value]


def _recent_jobs(schedule: Schedule) -> list[Job]:
    jobs = Job.objects.of_schedule(schedule.public_id).order_by("-id")
    return list(jobs.only("pk", "state", "created_at", "started_at", "finished_at", "summary", "error")[:JOBS])


def _job(job: Job) -> dict[str, Any]:
    took = span((job.finished_at - job.started_at).total_seconds()) if job.started_at and job.finished_at else ""
    return {"job": job, "took": took, "line": job.summary or job.error}


def _row(occurrence: Occurrence, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "occurrence": occurrence,
        "due": written(occurrence.due_at, zone),
        "until": written(occurrence.until_due_at, zone),
        "why": reason_in_words(occurrence.reason),
    }


def _systemd(schedule: Schedule) -> dict[str, Any]:
    """Return where the manifest is, and what the installer made of it."""
    status = last_account()
    return {
        "manifest": str(manifests().path(schedule.public_id)),
        "written": schedule.manifest_version == schedule.version,
        "state": installer_state(status, wanted=True),
        "applies": status.apply if status else False,
        "item": status.manifests.get(schedule.public_id) if status else None,
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
