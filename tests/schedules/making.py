"""Schedules and occurrences, for tests: rows as the program writes them."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from schedules.models import Occurrence, Schedule
from schedules.recurrence import next_after
from schedules.services import NewSchedule, Work, put_schedule
from schedules.timing import Timing
from tests.schedules.fires import utc

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
NOON = utc("2026-05-05T12:00")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def every(seconds: float, first_at: datetime = NOON, **fields: Any) -> Timing:
    """An interval."""
    written = {"everySeconds": seconds, "runAt": first_at.isoformat()}
    return Timing(**{"written": written, "zone": UTC_ZONE, "every_seconds": seconds, "first_at": first_at, **fields})


def cron(text: str, **fields: Any) -> Timing:
    """A cron, in UTC unless said otherwise."""
    return Timing(**{"written": {"cron": text}, "zone": UTC_ZONE, "cron": text, **fields})


def once(at: datetime, **fields: Any) -> Timing:
    """One time."""
    return Timing(written={"runAt": at.isoformat()}, zone=UTC_ZONE, first_at=at, **fields)


def new_schedule(timing: Timing, *, name: str = "", owner: str = "agent", **work: Any) -> NewSchedule:
    """A checked submission that repeats."""
    wanted = Work(**{"job_type": "ping", "input": {}, **work})
    return NewSchedule(work=wanted, timing=timing, owner=owner, name=name)


def make(timing: Timing, *, covered_until: datetime | None = None, name: str = "", **work: Any) -> Schedule:
    """Make a schedule as the API does; with ``covered_until``, as it stood then."""
    schedule, _ = put_schedule(new_schedule(timing, name=name or f"s{Schedule.objects.count()}", **work), by="agent")
    return schedule if covered_until is None else stands_at(schedule, covered_until, timing)


def stands_at(schedule: Schedule, moment: datetime, timing: Timing) -> Schedule:
    """Let a schedule stand where it stood at a moment."""
    upcoming = next_after(timing.recurrence, moment)
    Schedule.objects.filter(pk=schedule.pk).update(covered_until=moment, next_due_at=upcoming)
    schedule.refresh_from_db()
    return schedule


def make_many(number: int, timing: Timing, *, covered_until: datetime) -> list[Schedule]:
    """Write rows of schedules without their mirrors, quickly."""
    rows = [
        Schedule(
            public_id=f"sched-{index:08}",
            owner="agent",
            backend_alias="celery",
            job_type="ping",
            input={},
            priority=5,
            covered_until=covered_until,
            next_due_at=next_after(timing.recurrence, covered_until),
            created_at=covered_until,
            updated_at=covered_until,
        )
        for index in range(number)
    ]
    for row in rows:
        timing.put_into(row)
    return Schedule.objects.bulk_create(rows)


def occurrence(schedule: Schedule, due_at: datetime, **fields: Any) -> Occurrence:
    """Write the row of a due time, fired unless said otherwise."""
    row = {"until_due_at": due_at, "outcome": "fired", "recorded_at": timezone.now()}
    return Occurrence.objects.create(schedule=schedule, due_at=due_at, **{**row, **fields})


def outcomes(schedule: Schedule) -> list[tuple[int, str, str]]:
    """What became of the due times of a schedule, oldest first: how many, what, why."""
    return [(count, outcome, reason) for _, _, count, outcome, reason in rows_of(schedule)]


def told(schedule: Schedule) -> list[tuple[str, int, str, str]]:
    """The same, with the time of day of each first one."""
    return [
        (f"{due_at:%H:%M:%S}", *rest) for (due_at, *_), rest in zip(rows_of(schedule), outcomes(schedule), strict=True)
    ]


def rows_of(schedule: Schedule) -> list[tuple[datetime, datetime, int, str, str]]:
    """What became of the due times of a schedule, oldest first."""
    found = Occurrence.objects.filter(schedule=schedule).order_by("due_at")
    return list(found.values_list("due_at", "until_due_at", "count", "outcome", "reason"))
