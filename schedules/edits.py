"""Reading what a client changes of a schedule."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.utils import timezone
from msgspec import UNSET

from jobs.catalog import find
from jobs.events import opted_in
from jobs.submissions import (
    check_callback,
    input_faults,
    unknown_in_schedule,
    unknown_job_type,
    warnings_about_unknown,
)
from jobs.validation import faults_of
from pirunner.callers import Caller
from pirunner.errors import Fault, InvalidPayload
from pirunner.fields import same_json
from schedules.models import Schedule
from schedules.reading import read_timing
from schedules.serializers import EditBody
from schedules.services import Changes, differing
from schedules.submissions import name_faults
from schedules.timing import Timing, known_timing_of

_SCHEMA = msgspec.json.schema(EditBody)
_KNOWN = frozenset(field.encode_name for field in msgspec.structs.fields(EditBody))


def edit_body_of(raw: Any) -> EditBody:
    """Return the body of a ``PATCH`` as a typed value; raises ``InvalidPayload`` if it is none or changes nothing."""
    try:
        body = msgspec.convert(raw, EditBody)
    except msgspec.ValidationError:
        raise InvalidPayload(faults_of(_SCHEMA, raw)) from None
    if not raw.keys() & _KNOWN:
        known = ", ".join(sorted(_KNOWN))
        raise InvalidPayload([Fault((), "required", f"Nothing to change: send action or one of: {known}.")])
    return body


def check_edit(caller: Caller, schedule: Schedule, body: EditBody) -> None:
    """Raise ``Forbidden`` if the caller might not submit the schedule as it is, or as the body would leave it."""

    def new(name: str) -> Any:
        value = getattr(body, name)
        return getattr(schedule, name) if value is UNSET else value

    overlap = schedule.overlap if body.schedule is UNSET else body.schedule.overlap
    replaces = bool(new("concurrency_key")) and "replace" in {new("on_conflict"), overlap}
    caller.check_job_type(schedule.job_type)
    caller.check_submission(new("job_type"), recurs=True, replaces=replaces)


def changes_of(schedule: Schedule, raw: Mapping[str, Any], body: EditBody) -> tuple[Changes, list[str]]:
    """Return what a body changes of a schedule, and warnings. Raises ``InvalidPayload`` with every fault.

    What is sent as it is already is no change.
    """
    faults: list[Fault] = []
    unknown = [name for name in raw if name not in _KNOWN]
    warnings = warnings_about_unknown([*unknown, *unknown_in_schedule(raw.get("schedule"))])
    fields = _plain_fields(body)
    if body.callback_url is not UNSET:
        warnings += check_callback(body.callback_url, faults)
    if body.name is not UNSET and body.name is not None:
        faults += name_faults(body.name)
    faults += _work_faults(schedule, fields)
    timing = _new_timing(schedule, raw, body, faults)
    if faults:
        raise InvalidPayload(faults)
    return Changes(fields=differing(schedule, fields), timing=timing), warnings


def _new_timing(schedule: Schedule, raw: Mapping[str, Any], body: EditBody, faults: list[Fault]) -> Timing | None:
    if body.schedule is UNSET or same_json(schedule.timing, raw["schedule"]):
        return None
    timing, found = read_timing(body.schedule, raw["schedule"], timezone.now(), known_timing_of(schedule))
    faults += [fault.below("schedule") for fault in found]
    return timing


def _plain_fields(body: EditBody) -> dict[str, Any]:
    """Return the new values by the names of the columns; null empties a text."""
    fields: dict[str, Any] = {
        name: value
        for name in ("job_type", "priority", "metadata", "on_conflict")
        if (value := getattr(body, name)) is not UNSET
    }
    for name in ("name", "callback_url", "concurrency_key"):
        if (value := getattr(body, name)) is not UNSET:
            fields[name] = value or ""
    if body.input is not UNSET:
        fields["input"] = {} if body.input is None else body.input
    if body.callback_events is not UNSET:
        fields["callback_events"] = opted_in(body.callback_events)
    return fields


def _work_faults(schedule: Schedule, fields: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with the type and the input as they would be together."""
    if "job_type" not in fields and "input" not in fields:
        return []
    name = fields.get("job_type", schedule.job_type)
    job_type = find(name)
    if job_type is None:
        return [unknown_job_type(name)]
    return input_faults(job_type, fields.get("input", schedule.input), owner=schedule.owner)
