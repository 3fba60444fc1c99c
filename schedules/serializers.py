"""Schedules on the wire."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, UnsetType

from jobs.serializers import NO_NUL, CallbackEvent, ScheduleBody
from pirunner.times import iso
from schedules.models import Occurrence, Schedule
from schedules.recurrence import describe
from schedules.rules import Backend
from schedules.systemd import manifests
from schedules.timing import timing_of


class PreviewBody(msgspec.Struct, rename="camel", frozen=True):
    """The body of ``POST /schedules/preview``."""

    schedule: ScheduleBody
    count: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5


class EditBody(msgspec.Struct, rename="camel", frozen=True):
    """The body of ``PATCH``: an action, or the fields to change, or both. What is left out stays as it is."""

    action: Literal["pause", "resume"] | UnsetType = UNSET
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | UnsetType | None = UNSET
    job_type: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    input: Any = UNSET
    priority: Annotated[int, msgspec.Meta(ge=1, le=10, description="1 is the most urgent.")] | UnsetType = UNSET
    callback_url: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)] | UnsetType | None = UNSET
    callback_events: Annotated[list[CallbackEvent], msgspec.Meta(max_length=20)] | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET
    concurrency_key: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=NO_NUL)] | UnsetType | None = (
        UNSET
    )
    on_conflict: Literal["queue", "reject", "replace"] | UnsetType = UNSET
    schedule: ScheduleBody | UnsetType = UNSET


def read_preview(description: str, fires: list[datetime], zone: ZoneInfo) -> dict[str, Any]:
    """Return the next times in UTC and in the schedule's zone, and a sentence."""
    return {"fires": [read_fire(fire, zone) for fire in fires], "description": description}


def read_fire(fire: datetime, zone: ZoneInfo) -> dict[str, str]:
    """Return an instant in UTC and in a zone."""
    utc = fire.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"utc": utc, "local": fire.astimezone(zone).isoformat(timespec="seconds")}


def read_schedule(schedule: Schedule, latest: Occurrence | None = None) -> dict[str, Any]:
    """Return a schedule as ``GET /schedules`` shows it."""
    return {
        "id": schedule.public_id,
        "name": schedule.name or None,
        "backend": schedule.backend_alias,
        "enabled": schedule.enabled,
        "state": state_of(schedule),
        "jobType": schedule.job_type,
        "input": schedule.input,
        "callbackUrl": schedule.callback_url or None,
        "callbackEvents": schedule.callback_events.split(),
        "metadata": schedule.metadata,
        "priority": schedule.priority,
        "concurrencyKey": schedule.concurrency_key or None,
        "onConflict": schedule.on_conflict,
        "schedule": schedule.timing,
        "tz": schedule.zone,
        "description": description_of(schedule),
        "nextDueAt": iso(schedule.next_due_at),
        "lastOccurrence": read_occurrence(latest) if latest else None,
        **_backend_key(schedule),
        "version": schedule.version,
        "createdAt": iso(schedule.created_at),
        "updatedAt": iso(schedule.updated_at),
    }


def read_as_job(schedule: Schedule, latest: Occurrence | None = None) -> dict[str, Any]:
    """Return a schedule as ``GET /jobs/:id`` shows it."""
    return {
        "id": schedule.public_id,
        "name": schedule.job_type,
        "scheduleName": schedule.name or None,
        "state": state_of(schedule),
        "data": {
            "jobType": schedule.job_type,
            "input": schedule.input,
            "callbackUrl": schedule.callback_url or None,
            "metadata": schedule.metadata,
            "schedule": schedule.timing,
            "backend": schedule.backend_alias,
        },
        "schedule": read_schedule(schedule, latest),
    }


def read_occurrence(occurrence: Occurrence) -> dict[str, Any]:
    """Return a due time and what became of it."""
    return {
        "dueAt": iso(occurrence.due_at),
        "untilDueAt": iso(occurrence.until_due_at),
        "count": occurrence.count,
        "outcome": occurrence.outcome,
        "reason": occurrence.reason or None,
        "jobId": None if occurrence.job_id is None else str(occurrence.job_id),
        "recordedAt": iso(occurrence.recorded_at),
    }


def state_of(schedule: Schedule) -> str:
    """Return how a schedule reads where jobs have their state."""
    return "scheduled" if schedule.enabled else "paused"


def description_of(schedule: Schedule) -> str:
    """Return a sentence in English about when a schedule is due."""
    try:
        return describe(timing_of(schedule).recurrence)
    except ValueError as error:
        return f"It cannot be read: {error}"


def _backend_key(schedule: Schedule) -> dict[str, str]:
    """Return by what the backend knows the schedule."""
    if schedule.backend == Backend.SYSTEMD:
        return {"manifestPath": str(manifests().path(schedule.public_id))}
    return {"repeatKey": _repeat_key(schedule)}


def _repeat_key(schedule: Schedule) -> str:
    """Return a key like BullMQ's: the name, the id, and what repeats."""
    repeats = schedule.cron or ("" if schedule.every_seconds is None else round(schedule.every_seconds * 1000))
    return f"{schedule.job_type}:{schedule.public_id}::{schedule.zone}:{repeats}"
