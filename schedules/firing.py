"""Firing: whoever rings (the clock, a trigger, a person), here it is decided what is due, recorded, and submitted.

The row of a schedule is locked while it is decided about, its occurrences and jobs are written in the same
transaction, and ``covered_until`` moves on with them: so a due time is covered once, whoever comes second.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.db.models import Min
from django.utils import timezone

from jobs.contract import JobType
from jobs.models import Job
from jobs.selectors import count_open_of_schedules
from jobs.services import Written, ring_jobs
from pirunner.errors import Conflict
from schedules.mirror import follow
from schedules.missed import missed_events
from schedules.models import Occurrence, Schedule
from schedules.plan import Row, Situation, make_plan
from schedules.recording import Planned, record, taken_of
from schedules.rules import Backend, Misfire, Outcome, Overlap, Reason
from schedules.timing import is_readable, timing_of
from schedules.work import refusal_of
from webhooks.services import NewEvent, record_events, ring_deliveries

log = logging.getLogger(__name__)

BATCH = 500
"""How many schedules one transaction fires."""
SILENCE = timedelta(seconds=5)
"""How long the clock leaves a due time to its timer of systemd's."""
EARLY = timedelta(seconds=0.25)
"""How much earlier than its due time a timer may ring: its machine's clock may be ahead."""
MOST_CHUNKS = 50
AGAIN = timedelta(seconds=60)
"""When a schedule is looked at again that could not be read."""


class CannotRun(Conflict):
    """No job of the schedule would be accepted just now."""

    code = "cannot_run"


class StillRunning(Conflict):
    """The schedule's last job has not ended, and its rule is not to run two at a time."""

    code = "still_running"


class SchedulePaused(Conflict):
    """The schedule is paused; a timer that still rings for it fires nothing."""

    code = "schedule_paused"


@dataclass(slots=True)
class Firing:
    """What one transaction fires: jobs to ring for, and events to record last."""

    jobs: list[tuple[Job, JobType]] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    delivery_ids: list[int] = field(default_factory=list)

    def add(self, written: Written) -> None:
        """Keep what was written for the end of the transaction and after it."""
        self.jobs += written.jobs
        self.events += written.events

    def record(self) -> None:
        """Record the events; call it last in the transaction."""
        self.delivery_ids = record_events(self.events)

    def announce(self) -> None:
        """Ring for what was fired; call it after the commit."""
        ring_deliveries(self.delivery_ids)
        ring_jobs(self.jobs)


def fire_due(now: datetime) -> int:
    """Fire what is due of celery's schedules, at most ``BATCH`` of them; return how many were looked at.

    One that cannot be read does not hold up the others: it is looked at again in a minute.
    """
    return _fire_backend(Backend.CELERY, until=now, at=now)


def fire_silent(now: datetime) -> int:
    """Fire what systemd's timers should have rung for a moment ago, and have not; return how many were looked at."""
    return _fire_backend(Backend.SYSTEMD, until=now - SILENCE, at=now)


def next_due_at() -> datetime | None:
    """Return when the clock has to look at a schedule next."""
    due = [(_next_of(backend), _patience_of(backend)) for backend in Backend]
    return min((at + patience for at, patience in due if at), default=None)


def cover(
    schedule: Schedule, now: datetime, *, missed_for: Reason = Reason.MISSED, misfire: Misfire | None = None
) -> Firing:
    """Give every due time of a locked schedule up to now its row, and submit what is to run.

    ``misfire`` replaces the schedule's own rule. The bookkeeping is changed in memory and in the database. Call
    ``record`` on what is returned at the end of the transaction and ``announce`` after it.
    """
    firing = Firing()
    if not is_readable(schedule):
        return firing  # nobody can tell what was due
    _cover([schedule], firing, until=now, at=now, missed_for=missed_for, misfire=misfire)
    for _ in range(MOST_CHUNKS):  # a plan stops counting at some point
        if schedule.next_due_at is None or schedule.next_due_at > now:
            break
        _cover([schedule], firing, until=now, at=now, missed_for=missed_for, misfire=misfire)
    return firing


def ring_timer(schedule_id: int) -> tuple[Schedule, int | None]:
    """Fire what is due of a schedule because its timer has rung; return it, and the job of its latest due time.

    A timer that rings again for the same due time changes nothing. Raises ``SchedulePaused``, ``CannotRun`` and
    ``NotFound``.
    """
    firing = Firing()
    with transaction.atomic():
        schedule = Schedule.objects.locked(schedule_id)
        if not schedule.enabled:
            raise SchedulePaused(f"{schedule} is paused.")
        if not is_readable(schedule):
            raise CannotRun(f"{schedule} cannot run: nobody can tell (any more) when it is due; PATCH its schedule.")
        now = timezone.now()
        is_early = schedule.next_due_at is not None and now < schedule.next_due_at <= now + EARLY
        until = schedule.next_due_at if schedule.next_due_at and is_early else now
        _cover([schedule], firing, until=until, at=now, rung=True)
        firing.record()
    firing.announce()
    latest = Occurrence.objects.filter(schedule=schedule).exclude(reason=Reason.RUN_NOW.value).order_by("-due_at")
    return schedule, latest.values_list("job_id", flat=True).first()


def run_now(schedule_id: int, *, by: str) -> Job:
    """Submit a job of a schedule at once, paused or not, beside its due times.

    Raises ``StillRunning`` if one has not ended and the schedule's rule is ``overlap: skip``, ``CannotRun`` if its job
    would be refused, and ``NotFound``.
    """
    firing = Firing()
    with transaction.atomic():
        schedule = Schedule.objects.locked(schedule_id)
        if refusal := refusal_of(schedule):
            raise CannotRun(_REFUSALS[refusal].format(schedule=schedule))
        running = Job.objects.open_of_schedule(schedule.public_id).exists()
        if running and schedule.overlap == Overlap.SKIP:
            raise StillRunning(
                f"A job of {schedule} has not ended, and its rule is overlap 'skip'; wait for it, or cancel it."
            )
        now = timezone.now()
        row = Row(due_at=now, until_due_at=now, outcome=Outcome.FIRED, reason=Reason.RUN_NOW)
        firing.add(record([Planned(schedule, [row])], now))
        firing.record()
    firing.announce()
    log.info("%s was run by %s.", schedule, by)
    return firing.jobs[0][0]


def _fire_backend(backend: Backend, *, until: datetime, at: datetime) -> int:
    due = Schedule.objects.kept().filter(next_due_at__lte=until, backend=backend.value).order_by("next_due_at")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    if not ids:
        return 0
    try:
        _fire_together(ids, until=until, at=at)
    except Exception as error:
        if _database_is_away(error):
            raise
        log.exception("%d schedules could not be fired together; each is fired alone.", len(ids))
        for schedule_id in ids:
            _fire_alone(schedule_id, until=until, at=at)
    return len(ids)


def _next_of(backend: Backend) -> datetime | None:
    waiting = Schedule.objects.kept().filter(backend=backend.value, next_due_at__isnull=False)
    found: dict[str, datetime | None] = waiting.aggregate(at=Min("next_due_at"))  # one look at the index
    return found["at"]


def _patience_of(backend: Backend) -> timedelta:
    """Return how long the clock leaves a due time to others."""
    return SILENCE if backend == Backend.SYSTEMD else timedelta(0)


def _fire_together(ids: Sequence[int], *, until: datetime, at: datetime) -> None:
    firing = Firing()
    with transaction.atomic():
        locked = Schedule.objects.select_for_update().kept().filter(pk__in=ids, next_due_at__lte=until).order_by("pk")
        _cover(list(locked), firing, until=until, at=at)
        firing.record()
    firing.announce()


def _fire_alone(schedule_id: int, *, until: datetime, at: datetime) -> None:
    try:
        _fire_together([schedule_id], until=until, at=at)
    except Exception as error:
        if _database_is_away(error):
            raise
        log.exception("Schedule %d could not be fired; it is tried again in a minute.", schedule_id)
        Schedule.objects.filter(pk=schedule_id).update(next_due_at=at + AGAIN)


def _database_is_away(error: Exception) -> bool:
    """Return whether the database refused all, and not one row of ours."""
    return isinstance(error, DatabaseError) and not isinstance(error, (DataError, IntegrityError))


def _cover(
    schedules: Sequence[Schedule],
    firing: Firing,
    *,
    until: datetime,
    at: datetime,
    missed_for: Reason = Reason.MISSED,
    misfire: Misfire | None = None,
    rung: bool = False,
) -> None:
    """Decide about every due time up to ``until``; ``at`` is the time, ``rung`` says that a timer has rung for them."""
    taken = taken_of(schedules, until)
    open_jobs = count_open_of_schedules([schedule.public_id for schedule in schedules])
    plans = []
    for schedule in schedules:
        situation = Situation(
            now=until,
            covered_until=schedule.covered_until,
            open_jobs=open_jobs.get(schedule.public_id, 0),
            taken=taken.get(schedule.pk, frozenset()),
            missed_for=missed_for,
            fired_for=Reason.TIMER_SILENT if schedule.backend == Backend.SYSTEMD and not rung else Reason.NONE,
            refused=refusal_of(schedule),
        )
        timing = timing_of(schedule)
        rules = timing.rules if misfire is None else replace(timing.rules, misfire=misfire)
        plan = make_plan(timing.recurrence, rules, situation)
        schedule.covered_until, schedule.next_due_at = plan.covered_until, plan.next_due_at
        plans.append(Planned(schedule, plan.rows, situation.taken))
        firing.events += missed_events(schedule, plan.rows, at=at)
    firing.add(record(plans, at))
    _keep_books(schedules)


def _keep_books(schedules: Sequence[Schedule]) -> None:
    stored = connection.ops.adapt_datetimefield_value
    values = [(stored(each.covered_until), stored(each.next_due_at), each.pk) for each in schedules]
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE schedules_schedule SET covered_until = %s, next_due_at = %s WHERE id = %s", values)
    for schedule in schedules:
        follow(schedule)


_REFUSALS = {
    Reason.UNKNOWN_JOB_TYPE: "{schedule} cannot run: there is no job type {schedule.job_type!r} here (any more).",
    Reason.INVALID_INPUT: "{schedule} cannot run: {schedule.job_type} does not take its input (any more); PATCH it.",
    Reason.CONCURRENCY_KEY: "{schedule} cannot run: another job of its concurrencyKey has not ended.",
}
