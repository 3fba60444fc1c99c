"""Checking a submission: from the body that a client sent to a job that can be accepted.

Every fault is collected before any is reported, so that a client mends its payload once.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec
from django.conf import settings
from django.utils import timezone

from jobs.catalog import allowed, find, input_schema
from jobs.contract import JobType
from jobs.events import opted_in
from jobs.references import check_input, resolve
from jobs.run_at import RunAtFault, parse_run_at
from jobs.selectors import Idempotency, find_answer
from jobs.serializers import QuietHoursBody, ScheduleBody, SubmissionBody
from jobs.services import Accepted, NewJob
from jobs.validation import faults_of
from pirunner.errors import Fault, InvalidPayload
from pirunner.zones import UnknownZone, find_zone
from webhooks.egress import EgressError
from webhooks.services import check_target

_SCHEMA = msgspec.json.schema(SubmissionBody)
_KNOWN = frozenset(field.encode_name for field in msgspec.structs.fields(SubmissionBody))
_KNOWN_IN_SCHEDULE = frozenset(field.encode_name for field in msgspec.structs.fields(ScheduleBody))
_KNOWN_IN_QUIET_HOURS = frozenset(field.encode_name for field in msgspec.structs.fields(QuietHoursBody))
_WHEN = frozenset({"runAt", "everySeconds", "cron"})
_ONLY_REPEATING = frozenset({"endAt", "misfire", "overlap", "quietHours", "jitterSeconds"})
HEADER = "Idempotency-Key"

TargetCheck = Callable[[str], str | None]
"""Checks a callback URL as ``webhooks.services.check_target`` does."""


class Permit(Protocol):
    """Refuses what the caller may not submit, as ``pirunner.callers.Caller.check_submission`` does."""

    def __call__(self, job_type: str, *, recurs: bool, replaces: bool) -> None:
        """Raise ``Forbidden``, or return."""


def permit_all(job_type: str, *, recurs: bool, replaces: bool) -> None:
    """Refuse nothing: who calls from this machine may submit everything."""


class Prepare(Protocol):
    """Turns what a client sent into a job to accept, or into the answer if nothing remains to be done."""

    def __call__(
        self, raw: Any, *, owner: str, header: str | None = None, check: TargetCheck = ..., permit: Permit = ...
    ) -> NewJob | Accepted:
        """Read one submission; raises ``ApiError`` for what cannot be accepted."""


def prepare_submission(
    raw: Any,
    *,
    owner: str,
    header: str | None = None,
    check: TargetCheck = check_target,
    permit: Permit = permit_all,
) -> NewJob | Accepted:
    """Return the job that a client asks for, or the answer that its idempotency key was given before.

    A known key is answered before any check that depends on time, DNS or state. Raises ``InvalidPayload``,
    ``IdempotencyMismatch``, or what ``permit`` raises.
    """
    body = shape_of(raw, check=check)
    permit(body.job_type, recurs=False, replaces=body.replaces)
    key = idempotency_of(raw, header, body)
    return answered_before(owner, key) or check_submission(raw, body, owner=owner, key=key, check=check)


def shape_of(raw: Any, *, check: TargetCheck = check_target) -> SubmissionBody:
    """Return the body as a typed value; raises ``InvalidPayload`` with every fault of every field.

    When the shape is wrong, the fields that are right are checked for their meaning as well.
    """
    try:
        return msgspec.convert(raw, SubmissionBody)
    except msgspec.ValidationError:
        raise InvalidPayload([*faults_of(_SCHEMA, raw), *_faults_beyond_shape(raw, check)]) from None


def idempotency_of(raw: Any, header: str | None, body: SubmissionBody) -> Idempotency | None:
    """Return the key of a submission, the header's before the body's, with the hash of its content.

    Two bodies are the same when they hold the same JSON value, whatever the order of keys. Raises ``InvalidPayload``
    for a header that is empty or longer than 255 characters.
    """
    if header is not None and not 1 <= len(header) <= 255:
        raise InvalidPayload(
            [Fault((HEADER,), "too_big" if header else "too_small", f"{HEADER} takes 1 to 255 characters.")]
        )
    key = header or body.idempotency_key
    if key is None:
        return None
    content = json.dumps(raw, sort_keys=True, separators=(",", ":")).encode()
    return Idempotency(key=key, body_sha256=hashlib.sha256(content).hexdigest())


def answered_before(owner: str, key: Idempotency | None) -> Accepted | None:
    """Return the answer that a key was given before; raises ``IdempotencyMismatch`` for another body."""
    known = find_answer(owner=owner, idempotency=key) if key else None
    return None if known is None else Accepted(known, deduplicated=True)


def check_submission(
    raw: Mapping[str, Any],
    body: SubmissionBody,
    *,
    owner: str,
    key: Idempotency | None,
    check: TargetCheck = check_target,
) -> NewJob:
    """Return the job that a well-shaped body asks for.

    Raises ``InvalidPayload`` with every fault of meaning. A body that repeats is for ``schedules.submissions``.
    """
    job_type, faults, warnings = check_work(raw, body, check, owner=owner)
    due_at = _due_at(body.schedule, faults)
    if faults or job_type is None:
        raise InvalidPayload(faults)
    warnings += _without_effect(raw.get("schedule"))
    return NewJob(
        job_type=job_type,
        input=resolve(job_type, {} if body.input is None else body.input, owner=owner)[0],
        owner=owner,
        priority=body.priority,
        metadata=body.metadata,
        concurrency_key=body.concurrency_key or "",
        on_conflict=body.on_conflict,
        callback_url=body.callback_url or "",
        callback_events=opted_in(body.callback_events),
        schedule=raw.get("schedule"),
        backend=body.schedule_backend,
        due_at=due_at,
        warnings=tuple(warnings),
        idempotency=key,
    )


def check_work(
    raw: Mapping[str, Any], body: SubmissionBody, check: TargetCheck, *, owner: str
) -> tuple[JobType | None, list[Fault], list[str]]:
    """Return the job type that a well-shaped body names, the faults of what is to be done, and warnings."""
    faults: list[Fault] = _faults_of_misspelt_schedule(raw.get("schedule"))
    job_type = _job_type(body.job_type, faults)
    if job_type is not None:
        faults += input_faults(job_type, body.input, owner=owner)
    unknown = [*_unknown_fields(raw), *([] if job_type is None else _unknown_in_input(job_type, body.input))]
    warnings = [*warnings_about_unknown(unknown), *check_callback(body.callback_url, faults, check)]
    return job_type, faults, warnings


def _faults_beyond_shape(raw: Any, check: TargetCheck) -> list[Fault]:
    """Return the faults of meaning in those fields whose own shape is right."""
    if not isinstance(raw, dict):
        return []
    faults: list[Fault] = []
    name = raw.get("jobType")
    job_type = _job_type(name, faults) if isinstance(name, str) and name else None
    if job_type is not None:
        faults += input_faults(job_type, raw.get("input"))
    if isinstance(raw.get("callbackUrl"), str):
        check_callback(raw["callbackUrl"] or None, faults, check)
    with contextlib.suppress(msgspec.ValidationError):  # its shape is among the faults already
        _due_at(msgspec.convert(raw.get("schedule"), ScheduleBody | None), faults)
    return faults


def _without_effect(schedule: Any) -> list[str]:
    """Return warnings about fields that mean something only to what repeats."""
    inner = schedule if isinstance(schedule, dict) else {}
    return [f"schedule.{name} has no effect on a job that runs once." for name in inner if name in _ONLY_REPEATING]


def _job_type(name: str, faults: list[Fault]) -> JobType | None:
    job_type = find(name)
    if job_type is None:
        faults.append(unknown_job_type(name))
    return job_type


def unknown_job_type(name: str) -> Fault:
    """Return the fault that a name is on no allowlist."""
    known = ", ".join(sorted(allowed()))
    return Fault(("jobType",), "unknown_job_type", f"There is no job type {name[:80]!r} here; take one of: {known}.")


def input_faults(job_type: JobType, value: Any, *, owner: str | None = None) -> list[Fault]:
    """Return what is wrong with the ``input`` of a submission; without ``owner`` no reference is looked up."""
    _, faults = check_input(job_type, {} if value is None else value, owner=owner)
    return [fault.below("input") for fault in faults]


def warnings_about_unknown(names: Iterable[str]) -> list[str]:
    """Return a warning about each field that is ignored."""
    return [f"Unknown field {name[:80]!r} is ignored." for name in names]


def unknown_in_schedule(schedule: Any) -> list[str]:
    """Return the names of the fields of a ``schedule`` that are ignored, as seen from the payload's root."""
    inner = schedule if isinstance(schedule, dict) else {}
    hours = inner.get("quietHours")
    innermost = hours if isinstance(hours, dict) else {}
    unknown = [f"schedule.{name}" for name in inner if name not in _KNOWN_IN_SCHEDULE]
    return unknown + [f"schedule.quietHours.{name}" for name in innermost if name not in _KNOWN_IN_QUIET_HOURS]


def _unknown_fields(raw: Mapping[str, Any]) -> list[str]:
    unknown = [name for name in raw if name not in _KNOWN]
    return [*unknown, *unknown_in_schedule(raw.get("schedule"))]


def _unknown_in_input(job_type: JobType, value: Any) -> list[str]:
    known = input_schema(job_type).get("properties")
    return [f"input.{name}" for name in value if name not in known] if known and isinstance(value, dict) else []


def _faults_of_misspelt_schedule(schedule: Any) -> list[Fault]:
    """Refuse a schedule that says no time in a field we know: a misspelt ``runAt`` must not run the job now."""
    if not isinstance(schedule, dict) or schedule.keys() & _WHEN or schedule.keys() <= _KNOWN_IN_SCHEDULE:
        return []
    unknown = ", ".join(sorted(name[:80] for name in schedule.keys() - _KNOWN_IN_SCHEDULE))
    known = ", ".join(sorted(_KNOWN_IN_SCHEDULE))
    message = f"This schedule names no time, and these fields of it are unknown: {unknown}. It takes: {known}."
    return [Fault(("schedule",), "invalid_value", message)]


def check_callback(url: str | None, faults: list[Fault], check: TargetCheck = check_target) -> list[str]:
    """Check a ``callbackUrl``: add its faults, and return warnings."""
    if url is None:
        return []
    try:
        warning = check(url)
    except EgressError as error:
        faults.append(Fault(("callbackUrl",), error.code, str(error)))
        return []
    return [warning] if warning else []


def _due_at(schedule: ScheduleBody | None, faults: list[Fault]) -> Any:
    if schedule is None:
        return None
    try:
        zone = find_zone(schedule.tz or settings.TIME_ZONE)
    except UnknownZone as error:
        faults.append(Fault(("schedule", "tz"), "unknown_zone", str(error)))
        return None
    if schedule.run_at is None:
        return None
    try:
        return parse_run_at(schedule.run_at, zone, timezone.now())
    except RunAtFault as error:
        faults.append(Fault(("schedule", "runAt"), "invalid_date", str(error)))
        return None
