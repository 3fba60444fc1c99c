"""What is done to schedules: made, edited, paused, resumed, deleted. Each is one transaction, with its audit entry.

Whatever changes when a schedule is due first covers what was due before, by the rules that held then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from jobs.selectors import Idempotency
from jobs.services import Accepted, remember_keys
from pirunner.errors import ApiError, Conflict, InvalidPayload
from pirunner.fields import same_json
from pirunner.turns import take_turns
from schedules.audit import note
from schedules.firing import Firing, cover
from schedules.mirror import mirror, remove_mirror
from schedules.models import Schedule, Tombstone
from schedules.recurrence import next_after
from schedules.rules import Backend, Misfire, Reason
from schedules.systemd import hand_over, objections_to
from schedules.timing import Timing, timing_of

PREFIXES = {Backend.CELERY: "sched-", Backend.SYSTEMD: "sysd-"}
"""How the public ids of each backend begin; no name does."""
MANIFEST_WRITTEN = "manifest_written"
MANIFEST_PENDING = "manifest_pending"


class NameTaken(Conflict):
    """Another schedule has this name."""

    code = "name_taken"


class Tombstoned(Conflict):
    """A person deleted the schedule of this name."""

    code = "tombstoned"


class BackendFixed(Conflict):
    """A schedule stays with the backend that it was made for."""

    code = "backend_fixed"


class PreconditionFailed(ApiError):
    """The schedule was changed since the client read it."""

    status = 412
    code = "precondition_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a schedule submits each time; ``callback_events`` as ``jobs.events.opted_in`` returns them."""

    job_type: str
    input: Any
    priority: int = 5
    metadata: Any = None
    concurrency_key: str = ""
    on_conflict: str = "queue"
    callback_url: str = ""
    callback_events: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """A checked submission that repeats: what, when, for whom; ``alias`` is the backend as the client wrote it."""

    work: Work
    timing: Timing
    owner: str
    name: str = ""
    backend: Backend = Backend.CELERY
    alias: str = "celery"
    warnings: tuple[str, ...] = ()
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What an edit changes, by the names of the row's columns, and the new timing if there is one."""

    fields: dict[str, Any]
    timing: Timing | None = None

    @property
    def names(self) -> list[str]:
        """What is changed, for the audit."""
        return [*self.fields, *(["timing"] if self.timing else [])]


def create_schedule(new: NewSchedule) -> Accepted:
    """Accept a schedule: when this returns it is on disk.

    Raises ``IntegrityError`` if its idempotency key or its name is in use already.
    """
    with transaction.atomic():
        schedule = _insert(new, by=new.owner, now=timezone.now())
        answer = answer_for(schedule, new.warnings)
        remember_keys([(new.owner, new.idempotency, answer)] if new.idempotency else [])
    if not hand_over(schedule):
        answer["installState"] = MANIFEST_PENDING
    return Accepted(answer)


def put_schedule(
    new: NewSchedule,
    *,
    by: str,
    restore: bool = False,
    replace: bool = True,
    version: int | None = None,
    only: str | None = None,
) -> tuple[Schedule, bool]:
    """Make the schedule of a name, or let the one that has it be as ``new`` is; return it, and whether it was made.

    One that is the same already is not touched; one that is paused stays so. Raises ``Tombstoned`` if a person
    deleted the name, unless ``restore`` is wanted, ``NameTaken`` if there is one and it is not to be ``replace``d, or
    is not ``only``'s own, ``BackendFixed`` if it has another backend, and ``PreconditionFailed`` if it has not the
    ``version`` wanted.
    """
    with transaction.atomic():
        take_turns(f"schedule {new.name}")
        current = Schedule.objects.select_for_update().named(new.name).first()
        now = timezone.now()
        _check_version(current, version)
        if current is None:
            _check_tombstone(new.name, restore=restore)
            schedule, firing = _insert(new, by=by, now=now), Firing()
        elif not replace or (only is not None and current.owner != only):
            raise NameTaken(f"Another schedule has the name {new.name!r}.")
        else:
            _check_backend(current, new)
            schedule, firing = current, _edit(current, _changes_to(current, new), by=by, now=now)
        firing.record()
    firing.announce()
    hand_over(schedule)
    return schedule, current is None


def edit_schedule(schedule_id: int, changes: Changes, *, by: str, version: int | None = None) -> Schedule:
    """Change a schedule. Raises ``NotFound``, ``NameTaken``, or ``PreconditionFailed`` if it has another version."""

    def edit(schedule: Schedule, now: datetime) -> Firing:
        return _edit(schedule, changes, by=by, now=now)

    return _with_schedule(schedule_id, edit, version)


def pause_schedule(schedule_id: int, *, by: str, version: int | None = None) -> Schedule:
    """Let a schedule fire no more until it is resumed; raises what ``edit_schedule`` raises."""

    def pause(schedule: Schedule, now: datetime) -> Firing:
        if not schedule.enabled:
            return Firing()
        firing = cover(schedule, now)
        schedule.enabled, schedule.paused_at, schedule.next_due_at = False, now, None
        _save(schedule, "paused", by=by, now=now)
        return firing

    return _with_schedule(schedule_id, pause, version)


def resume_schedule(schedule_id: int, *, by: str, version: int | None = None) -> Schedule:
    """Let a paused schedule fire again; its misfire rule decides about the due times of the pause."""

    def resume(schedule: Schedule, now: datetime) -> Firing:
        if schedule.enabled:
            return Firing()
        schedule.enabled, schedule.paused_at = True, None
        firing = cover(schedule, now, missed_for=Reason.PAUSED)
        _save(schedule, "resumed", by=by, now=now)
        return firing

    return _with_schedule(schedule_id, resume, version)


def delete_schedule(schedule_id: int, *, by: str, in_person: bool = False, version: int | None = None) -> Schedule:
    """Delete a schedule; its jobs stay. What a person deletes ``in_person``, no program makes again by its name.

    Raises ``NotFound`` or ``PreconditionFailed``.
    """

    def delete(schedule: Schedule, now: datetime) -> Firing:
        remove_mirror(schedule)
        schedule.deleted_at, schedule.enabled, schedule.next_due_at = now, False, None
        schedule.save()
        if in_person and schedule.name:
            Tombstone.objects.update_or_create(name=schedule.name, defaults={"by": by[:150], "at": now})
        note(schedule, "deleted", by=by, at=now)
        return Firing()

    return _with_schedule(schedule_id, delete, version)


def answer_for(schedule: Schedule, warnings: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what the client is told of a schedule that was accepted."""
    is_systemd = schedule.backend == Backend.SYSTEMD
    answer: dict[str, Any] = {
        "jobId": schedule.public_id,
        "status": "scheduled" if is_systemd else "queued",
        "backend": schedule.backend_alias,
        "scheduled": True,
    }
    if is_systemd:
        answer["installState"] = MANIFEST_WRITTEN
    if warnings:
        answer["warnings"] = list(warnings)
    return answer


def _with_schedule(
    schedule_id: int, change: Callable[[Schedule, datetime], Firing], version: int | None = None
) -> Schedule:
    """Make a change to a locked schedule, and announce what it fired. Returns the schedule as it is then."""
    with transaction.atomic():
        schedule = Schedule.objects.locked(schedule_id)
        _check_version(schedule, version)
        firing = change(schedule, timezone.now())
        firing.record()
    firing.announce()
    hand_over(schedule)
    return schedule


def _check_backend(schedule: Schedule, new: NewSchedule) -> None:
    if schedule.backend != new.backend:
        raise BackendFixed(
            f"The schedule {schedule.name!r} belongs to {schedule.backend}; delete it first to make it {new.backend}'s."
        )


def _check_version(schedule: Schedule | None, version: int | None) -> None:
    if version is None:
        return
    if schedule is None:
        raise PreconditionFailed("There is no such schedule any more.")
    if schedule.version != version:
        raise PreconditionFailed(
            f'The schedule has changed since you read it: its ETag is "{schedule.version}" now. Read it again.'
        )


def _insert(new: NewSchedule, *, by: str, now: datetime) -> Schedule:
    work = new.work
    schedule = Schedule(
        public_id=f"{PREFIXES[new.backend]}{uuid4()}",
        name=new.name,
        owner=new.owner,
        backend=new.backend.value,
        backend_alias=new.alias,
        covered_until=now,
        created_at=now,
        updated_at=now,
        **{name: getattr(work, name) for name in WORK_FIELDS},
    )
    new.timing.put_into(schedule)
    schedule.next_due_at = next_after(new.timing.recurrence, now)
    mirror(schedule)
    schedule.save()
    note(schedule, "created", by=by, at=now)
    return schedule


WORK_FIELDS = (
    "job_type",
    "input",
    "priority",
    "metadata",
    "concurrency_key",
    "on_conflict",
    "callback_url",
    "callback_events",
)


def differing(schedule: Schedule, fields: dict[str, Any]) -> dict[str, Any]:
    """Return those of the new values, by the names of the columns, that are not what the row has already."""
    return {name: value for name, value in fields.items() if not same_json(getattr(schedule, name), value)}


def _changes_to(current: Schedule, new: NewSchedule) -> Changes:
    fields = {name: getattr(new.work, name) for name in WORK_FIELDS} | {"backend_alias": new.alias}
    same_timing = same_json(current.timing, new.timing.written)
    return Changes(fields=differing(current, fields), timing=None if same_timing else new.timing)


def _edit(schedule: Schedule, changes: Changes, *, by: str, now: datetime) -> Firing:
    if not changes.names:
        return Firing()
    firing = _cover_before_edit(schedule, now)
    for name, value in changes.fields.items():
        setattr(schedule, name, value)
    if changes.timing:
        changes.timing.put_into(schedule)
    if "name" in changes.fields:
        _check_name(schedule)
    if schedule.backend == Backend.SYSTEMD and (faults := objections_to(timing_of(schedule))):
        raise InvalidPayload([fault.below("schedule") for fault in faults])
    schedule.next_due_at = next_after(timing_of(schedule).recurrence, now) if schedule.enabled else None
    _save(schedule, "edited", by=by, now=now, details=", ".join(changes.names))
    return firing


def _cover_before_edit(schedule: Schedule, now: datetime) -> Firing:
    if schedule.enabled:
        return cover(schedule, now)
    return cover(schedule, now, missed_for=Reason.PAUSED, misfire=Misfire.SKIP)


def _check_name(schedule: Schedule) -> None:
    take_turns(f"schedule {schedule.name}")
    if schedule.name and Schedule.objects.named(schedule.name).exclude(pk=schedule.pk).exists():
        raise NameTaken(f"Another schedule has the name {schedule.name!r}.")
    _check_tombstone(schedule.name, restore=False)


def _check_tombstone(name: str, *, restore: bool) -> None:
    stones = Tombstone.objects.filter(name=name)
    stone = stones.first()
    if stone and not restore:
        raise Tombstoned(
            f"{stone.by} deleted the schedule {name!r} on {stone.at:%Y-%m-%d}. If it is wanted again, send this with "
            "?restore=true and a token that may administer, or make it in the admin."
        )
    stones.delete()


def _save(schedule: Schedule, action: str, *, by: str, now: datetime, details: str = "") -> None:
    schedule.version += 1
    schedule.updated_at = now
    mirror(schedule)
    schedule.save()
    note(schedule, action, by=by, at=now, details=details)
