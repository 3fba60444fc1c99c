"""Checking what a client wants to recur: from the body that it sent to a schedule that can be accepted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.db import IntegrityError
from django.utils import timezone

from jobs.events import opted_in
from jobs.selectors import Idempotency, find_answer
from jobs.serializers import ScheduleBody, SubmissionBody
from jobs.services import Accepted, NewJob
from jobs.submissions import (
    Permit,
    TargetCheck,
    answered_before,
    check_submission,
    check_work,
    idempotency_of,
    permit_all,
    shape_of,
)
from pirunner.errors import Fault, InvalidPayload
from schedules.reading import read_timing
from schedules.rules import Backend
from schedules.services import PREFIXES, NewSchedule, Work, create_schedule
from schedules.systemd import objections_to
from schedules.timing import Timing
from webhooks.services import check_target

LONGEST_NAME = 200
RESERVED_NAMES = frozenset({"preview", ".", ".."})
"""What stands, or is taken to stand, for something else after ``/schedules/``."""


def prepare(
    raw: Any,
    *,
    owner: str,
    header: str | None = None,
    check: TargetCheck = check_target,
    permit: Permit = permit_all,
) -> NewJob | Accepted:
    """Return the job that a client asks for; what repeats is accepted here, and its answer returned.

    Raises ``InvalidPayload``, ``IdempotencyMismatch``, or what ``permit`` raises.
    """
    body = shape_with_timing(raw, check)
    permit(body.job_type, recurs=_recurs(body), replaces=body.replaces)
    key = idempotency_of(raw, header, body)
    if (known := answered_before(owner, key)) is not None:
        return known
    if not _recurs(body):
        return check_submission(raw, body, owner=owner, key=key, check=check)
    return _accept(check_schedule(raw, body, owner=owner, key=key, check=check))


def shape_with_timing(raw: Any, check: TargetCheck = check_target) -> SubmissionBody:
    """Return the body as a typed value; raises ``InvalidPayload`` with every fault, those of the timing included."""
    try:
        return shape_of(raw, check=check)
    except InvalidPayload as error:
        more = _timing_faults(raw.get("schedule")) if isinstance(raw, dict) else []
        raise InvalidPayload(_each_once([*error.faults, *more])) from None


def check_schedule(
    raw: Mapping[str, Any],
    body: SubmissionBody,
    *,
    owner: str,
    key: Idempotency | None = None,
    name: str = "",
    known: Timing | None = None,
    check: TargetCheck = check_target,
) -> NewSchedule:
    """Return the schedule that a well-shaped body asks for; ``known`` is the timing that it replaces.

    Raises ``InvalidPayload`` with every fault of meaning, and with what systemd's timers cannot express.
    """
    backend = Backend.SYSTEMD if body.schedule_backend == Backend.SYSTEMD.value else Backend.CELERY
    job_type, faults, warnings = check_work(raw, body, check, owner=owner)
    timing = _timing(body.schedule, raw.get("schedule"), timezone.now(), known, faults)
    if timing and backend is Backend.SYSTEMD:
        faults += [fault.below("schedule") for fault in objections_to(timing)]
    if faults or job_type is None or timing is None:
        raise InvalidPayload(faults)
    work = Work(
        job_type=job_type.name,
        input={} if body.input is None else body.input,
        priority=body.priority,
        metadata=body.metadata,
        concurrency_key=body.concurrency_key or "",
        on_conflict=body.on_conflict,
        callback_url=body.callback_url or "",
        callback_events=opted_in(body.callback_events),
    )
    return NewSchedule(
        work=work,
        timing=timing,
        owner=owner,
        name=name,
        backend=backend,
        alias=body.schedule_backend,
        warnings=tuple(warnings),
        idempotency=key,
    )


def name_faults(name: str) -> list[Fault]:
    """Return what keeps a text from being the name of a schedule."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name or name != name.strip():
        message = f"A name has 1 to {LONGEST_NAME} printable characters, no slash, and no blanks around it."
        return [Fault(("name",), "invalid_name", message)]
    if name.startswith(tuple(PREFIXES.values())):
        message = f"A name must not begin like an id, with {' or '.join(PREFIXES.values())}."
        return [Fault(("name",), "invalid_name", message)]
    if name in RESERVED_NAMES:
        return [Fault(("name",), "invalid_name", f"The name {name!r} is the address of something else.")]
    return []


def _recurs(body: SubmissionBody) -> bool:
    return body.schedule_backend == Backend.SYSTEMD.value or (body.schedule is not None and body.schedule.repeats)


def _accept(new: NewSchedule) -> Accepted:
    try:
        return create_schedule(new)
    except IntegrityError:
        # Another request with the same key committed first; its answer is ours.
        known = new.idempotency and find_answer(owner=new.owner, idempotency=new.idempotency)
        if not known:
            raise
        return Accepted(known, deduplicated=True)


def _timing(
    body: ScheduleBody | None, written: Any, now: datetime, known: Timing | None, faults: list[Fault]
) -> Timing | None:
    if body is None:
        faults.append(
            Fault(("schedule",), "required", '"schedule" is missing: send an object with cron or everySeconds.')
        )
        return None
    timing, found = read_timing(body, written, now, known)
    misspelt = any(fault.path == ("schedule",) for fault in faults)
    faults += [fault.below("schedule") for fault in found if fault.path or not misspelt]
    return timing


def _timing_faults(written: Any) -> list[Fault]:
    try:
        body = msgspec.convert(written, ScheduleBody)
    except msgspec.ValidationError:  # its shape is among the faults already
        return []
    if not body.repeats:
        return []
    _, faults = read_timing(body, written, timezone.now())
    return [fault.below("schedule") for fault in faults]


def _each_once(faults: list[Fault]) -> list[Fault]:
    return list({(fault.path, fault.code): fault for fault in reversed(faults)}.values())[::-1]
