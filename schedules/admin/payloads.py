"""Between the form of a schedule and the bodies of the API: pure functions, both ways.

An edit sends only what was changed, and of the ``schedule`` leaves every key as its author wrote it that was not:
so that saving a form untouched changes nothing, and a start in the past stays what it is.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from jobs.run_at import RunAtFault, parse_run_at
from pirunner.errors import Path
from schedules.admin.forms import UNITS
from schedules.models import Schedule

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_SECONDS = dict(UNITS)

_FIELDS: Mapping[Path, str] = {
    ("name",): "name",
    ("jobType",): "job_type",
    ("priority",): "priority",
    ("callbackUrl",): "callback_url",
    ("callbackEvents",): "callback_events",
    ("scheduleBackend",): "backend",
    ("schedule", "cron"): "cron",
    ("schedule", "everySeconds"): "every_number",
    ("schedule", "tz"): "zone",
    ("schedule", "endAt"): "end_at",
    ("schedule", "misfire"): "misfire",
    ("schedule", "overlap"): "overlap",
    ("schedule", "quietHours"): "quiet_from",
    ("schedule", "jitterSeconds"): "jitter_seconds",
}


def field_at(path: Path, kind: str) -> str | None:
    """Return the field of the form that a fault of the body is about; None for the form as a whole."""
    if path[:2] == ("schedule", "runAt"):
        return "run_at" if kind == "once" else "start_at"
    if path == ("schedule", "cron") and kind != "cron":
        return "run_at" if kind == "once" else "every_number"
    return _FIELDS.get(path[:2]) or _FIELDS.get(path[:1])


def submission_of(values: Mapping[str, Any], work: Any) -> dict[str, Any]:
    """Return the body of ``POST /jobs`` that a filled-in form stands for; ``work`` is the input of the job."""
    return {
        "jobType": values["job_type"],
        "input": work,
        "priority": values["priority"],
        "scheduleBackend": values["backend"],
        "schedule": timing_of_form(values),
        **({"callbackUrl": values["callback_url"]} if values.get("callback_url") else {}),
        **({"callbackEvents": list(values["callback_events"])} if values.get("callback_events") else {}),
    }


def changes_of_form(
    values: Mapping[str, Any], initial: Mapping[str, Any], written: Any, *, work: Any, work_changed: bool
) -> dict[str, Any]:
    """Return the body of ``PATCH`` with what differs from what the form began with; empty if nothing does."""
    body: dict[str, Any] = {
        key: value
        for key, name in (("name", "name"), ("jobType", "job_type"), ("priority", "priority"))
        if (value := values[name]) != initial.get(name)
    }
    if "name" in body:
        body["name"] = body["name"] or None
    if (values.get("callback_url") or "") != (initial.get("callback_url") or ""):
        body["callbackUrl"] = values["callback_url"] or None
    if set(values.get("callback_events") or ()) != set(initial.get("callback_events") or ()):
        body["callbackEvents"] = list(values["callback_events"])
    if work_changed or "jobType" in body:
        body["input"] = work
    timing = timing_of_form(values, initial, written)
    if timing != written:
        body["schedule"] = timing
    return body


def timing_of_form(
    values: Mapping[str, Any], initial: Mapping[str, Any] | None = None, written: Any = None
) -> dict[str, Any]:
    """Return the ``schedule`` that a form stands for; ``written`` is the one that is edited, as it is kept."""
    wanted = _timing(values)
    if initial is None or not isinstance(written, dict):
        return wanted
    before = _timing(initial)
    if wanted == before:
        return written
    zone_changed = wanted["tz"] != before["tz"]
    timing = {**written}
    for key in wanted.keys() | before.keys():
        is_wall_clock = zone_changed and key in {"runAt", "endAt"}
        if wanted.get(key) == before.get(key) and not is_wall_clock:
            continue
        timing.pop(key, None)
        if key in wanted:
            timing[key] = wanted[key]
    return {**timing, "tz": wanted["tz"]}


def values_of(schedule: Schedule) -> dict[str, Any]:
    """Return what the form of a schedule begins with."""
    written = schedule.timing if isinstance(schedule.timing, dict) else {}
    kind = "cron" if schedule.cron else "every" if schedule.every_seconds is not None else "once"
    number, unit = in_units(schedule.every_seconds)
    first = local_text(written.get("runAt"), schedule.zone)
    return {
        "name": schedule.name,
        "job_type": schedule.job_type,
        "kind": kind,
        "cron": schedule.cron,
        "every_number": number,
        "every_unit": unit,
        "run_at": first if kind == "once" else "",
        "start_at": "" if kind == "once" else first,
        "end_at": local_text(written.get("endAt"), schedule.zone),
        "zone": schedule.zone,
        "backend": schedule.backend,
        "misfire": schedule.misfire,
        "overlap": schedule.overlap,
        "quiet_from": schedule.quiet_from,
        "quiet_to": schedule.quiet_to,
        "jitter_seconds": schedule.jitter_seconds or None,
        "priority": schedule.priority,
        "callback_url": schedule.callback_url,
        "callback_events": schedule.callback_events.split(),
    }


def in_units(seconds: float | None) -> tuple[float | None, str]:
    """Return a period in the largest unit of which it is a whole number."""
    if seconds is None:
        return None, "minutes"
    unit, length = next(((unit, length) for unit, length in reversed(UNITS) if seconds % length == 0), UNITS[0])
    return _whole(seconds / length), unit


def local_text(written: Any, zone: str) -> str:
    """Return a moment as a browser's field takes it, on the clock of a zone; "" for none that can be read."""
    if not isinstance(written, str):
        return ""
    try:
        where = ZoneInfo(zone)
        local = parse_run_at(written, where, _BEGINNING).astimezone(where).replace(tzinfo=None)
    except (RunAtFault, LookupError, OSError, ValueError):
        return ""
    return local.isoformat(timespec="seconds" if local.second else "minutes")


def _timing(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``schedule`` of these values, without what is as usual."""
    return {
        **_when(values),
        "tz": values.get("zone", ""),
        **({"endAt": values["end_at"]} if values.get("end_at") else {}),
        **({"misfire": values["misfire"]} if values.get("misfire", "once") != "once" else {}),
        **({"overlap": values["overlap"]} if values.get("overlap", "skip") != "skip" else {}),
        **_quiet(values),
        **({"jitterSeconds": _whole(values["jitter_seconds"])} if values.get("jitter_seconds") else {}),
    }


def _when(values: Mapping[str, Any]) -> dict[str, Any]:
    start = {"runAt": values["start_at"]} if values.get("start_at") else {}
    match values.get("kind"):
        case "cron":
            return {"cron": (values.get("cron") or "").strip(), **start}
        case "every":
            number = values.get("every_number") or 0
            return {"everySeconds": _whole(number * _SECONDS[values.get("every_unit") or "seconds"]), **start}
        case _:
            return {"runAt": values.get("run_at") or ""}


def _quiet(values: Mapping[str, Any]) -> dict[str, Any]:
    hours = {"from": values.get("quiet_from") or "", "to": values.get("quiet_to") or ""}
    return {"quietHours": hours} if any(hours.values()) else {}


def _whole(number: float) -> float:
    return int(number) if float(number).is_integer() else number
