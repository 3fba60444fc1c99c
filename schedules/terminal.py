"""Schedules in a terminal: the rows of a table, one schedule as lines, its next times."""

import json
from collections.abc import Callable
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from django.utils import timezone

from pirunner.tables import Column, lines_of_fields
from pirunner.wording import span, when
from schedules.models import AuditEntry, Occurrence, Schedule
from schedules.previews import LOOKED_AT
from schedules.recurrence import fires_after
from schedules.serializers import description_of, read_fire, state_of
from schedules.timing import timing_of


def columns(paint: Callable[[str], str]) -> list[Column]:
    """Return the columns of a list of schedules."""
    return [
        Column("name", shrinks=True),
        Column("type", shrinks=True),
        Column("state", paint=paint),
        Column("next"),
        Column("in", right=True),
        Column("last", paint=paint),
        Column("when", shrinks=True),
    ]


def row(schedule: Schedule, latest: Occurrence | None, now: datetime, zone: tzinfo) -> list[Any]:
    """Return what a list shows of a schedule."""
    due = schedule.next_due_at
    return [
        schedule.name or schedule.public_id,
        schedule.job_type,
        state_of(schedule),
        when(due, zone),
        None if due is None else span(max(0.0, (due - now).total_seconds())),
        latest.outcome if latest else None,
        description_of(schedule),
    ]


def next_fires(schedule: Schedule, count: int) -> list[dict[str, str]]:
    """Return the next times of a schedule in UTC and in its zone; none if it cannot be read."""
    try:
        timing = timing_of(schedule)
        due = islice(fires_after(timing.recurrence, timezone.now()), LOOKED_AT)
        fires = islice((fire for fire in due if not timing.rules.are_quiet(fire)), count)
        return [read_fire(fire, timing.zone) for fire in fires]
    except ValueError:
        return []


def lines_of_schedule(
    schedule: Schedule, latest: Occurrence | None, audit: list[AuditEntry], zone: tzinfo
) -> list[str]:
    """Return one schedule: what, when, what became of it last, and who did what to it."""
    fields = {
        "schedule": schedule.public_id,
        "name": schedule.name,
        "state": state_of(schedule),
        "type": schedule.job_type,
        "when": description_of(schedule),
        "zone": schedule.zone,
        "backend": schedule.backend_alias,
        "rules": f"misfire {schedule.misfire}, overlap {schedule.overlap}",
        "next": when(schedule.next_due_at, zone),
        "last": f"{latest.outcome} {latest.reason} {when(latest.due_at, zone)}" if latest else "",
        "input": json.dumps(schedule.input, ensure_ascii=False),
        "callback": schedule.callback_url,
        "made by": f"{schedule.owner}, {when(schedule.created_at, zone)}",
    }
    lines = lines_of_fields({name: value for name, value in fields.items() if value})
    if schedule.enabled:
        lines += ["", "next times:", *(f"  {fire['local']}" for fire in next_fires(schedule, 5))]
    if audit:
        lines += ["", "who did what:"]
        lines += [f"  {when(each.at, zone)}  {each.action} by {each.by}  {each.details}".rstrip() for each in audit]
    return lines


OCCURRENCE_COLUMNS = [
    Column("due"),
    Column("until"),
    Column("count", right=True),
    Column("outcome"),
    Column("reason"),
    Column("job", right=True),
]


def occurrence_row(occurrence: Occurrence, zone: tzinfo) -> list[Any]:
    """Return what a list shows of a due time."""
    until = "" if occurrence.count == 1 else when(occurrence.until_due_at, zone)
    return [
        when(occurrence.due_at, zone),
        until,
        occurrence.count,
        occurrence.outcome,
        occurrence.reason,
        occurrence.job_id,
    ]
