"""What the form of a schedule shows as one types: the sentence and the next times, or the fault of each field."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from pirunner.errors import Fault, InvalidPayload
from schedules.admin.forms import ScheduleForm
from schedules.admin.payloads import field_at, timing_of_form, values_of
from schedules.admin.strip import written
from schedules.models import Schedule
from schedules.previews import Preview, look_ahead
from schedules.recurrence import CronIn, describe
from schedules.rules import Backend
from schedules.systemd import objections_to
from schedules.timing import Timing, known_timing_of

TEMPLATE = "admin/schedules/schedule/preview.html"
COUNT = 5
_UTC = ZoneInfo("UTC")
FIELDS = (
    *("cron", "every_number", "run_at", "zone", "start_at", "end_at", "quiet_from", "jitter_seconds"),
    *("misfire", "overlap"),
)
"""The fields whose faults the preview tells, each at its place in the form."""


@dataclass(frozen=True, slots=True)
class Fire:
    """One time to come, as both clocks show it, and what is odd about it."""

    at: datetime
    local: str
    utc: str
    oddity: str


def preview_fragment(request: HttpRequest) -> HttpResponse:
    """Answer what the form says so far; nothing is stored."""
    schedule = Schedule.objects.kept().filter(pk=_number(request.GET.get("of", ""))).first()
    values = values_typed(ScheduleForm(request.POST, fixed=schedule))
    context = {"slots": FIELDS, **_context(values, schedule)}
    return TemplateResponse(request, TEMPLATE, context)


def values_typed(form: ScheduleForm) -> dict[str, Any]:
    """Return the values of a form as far as each makes sense by itself."""
    form.is_valid()
    typed = {name: form[name].value() for name in ("cron", "run_at", "start_at", "end_at", "quiet_from", "quiet_to")}
    return {**{name: value or "" for name, value in typed.items()}, **form.cleaned_data}


def timing_typed(values: dict[str, Any], schedule: Schedule | None) -> dict[str, Any]:
    """Return the ``schedule`` that a form says so far."""
    if schedule is None:
        return timing_of_form(values)
    return timing_of_form(values, values_of(schedule), schedule.timing)


def timing_faults(form: ScheduleForm) -> dict[str, list[str]]:
    """Return what is wrong with the times of a form whose other fields may be wrong, too, by field."""
    values = values_typed(form)
    try:
        body = {"schedule": timing_typed(values, form.fixed)}
        look_ahead(body, now=timezone.now(), known=known_timing_of(form.fixed))
    except InvalidPayload as error:
        return _by_field(error.faults, values)
    return {}


def oddity_of(fire: datetime, before: datetime, timing: Timing) -> str:
    """Return in a sentence what the clocks being set does to a time; ``before`` is the one before it."""
    zone = timing.zone
    local = fire.astimezone(zone)
    wall = local.replace(tzinfo=None)
    recurrence = timing.recurrence
    if isinstance(recurrence, CronIn) and not recurrence.cron.matches(wall):
        return "Clocks go forward: the time named does not exist that day, so it fires at the first instant after."
    if wall.replace(tzinfo=zone, fold=0).utcoffset() != wall.replace(tzinfo=zone, fold=1).utcoffset():
        return "Clocks go back: this time happens twice, and it fires at the first."
    then, now = before.astimezone(zone).utcoffset(), local.utcoffset()
    if then is None or now is None or then == now:
        return ""
    return f"Clocks go {'forward' if now > then else 'back'} before this one: {_offset(then)} becomes {_offset(now)}."


def _context(values: dict[str, Any], schedule: Schedule | None) -> dict[str, Any]:
    timing = timing_typed(values, schedule)
    if not any(timing.get(key) for key in ("cron", "everySeconds", "runAt")):
        return {"waiting": True}
    now = timezone.now()
    try:
        found = look_ahead({"schedule": timing, "count": COUNT}, now=now, known=known_timing_of(schedule))
    except InvalidPayload as error:
        return {"faults": _by_field(error.faults, values)}
    backend = schedule.backend if schedule else values.get("backend")
    objections = objections_to(found.timing) if backend == Backend.SYSTEMD.value else []
    return {
        "sentence": describe(found.timing.recurrence),
        "fires": fires_of(found, now),
        "zone": found.timing.zone.key,
        "faults": _by_field([fault.below("schedule") for fault in objections], values),
    }


def fires_of(found: Preview, now: datetime) -> list[Fire]:
    """Return the next times, each beside the one before it."""
    before: Sequence[datetime] = [now, *found.fires]
    zone = found.timing.zone
    return [
        Fire(fire, written(fire, zone), written(fire, _UTC), oddity_of(fire, earlier, found.timing))
        for fire, earlier in zip(found.fires, before, strict=False)
    ]


def _by_field(faults: Sequence[Fault], values: dict[str, Any]) -> dict[str, list[str]]:
    """Return the sentences by the field that each is about; those about none are under ``""``."""
    told: dict[str, list[str]] = {}
    for fault in faults:
        told.setdefault(field_at(fault.path, values.get("kind", "")) or "", []).append(fault.message)
    return told


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds() // 60)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60}" + (
        f":{abs(minutes) % 60:02}" if minutes % 60 else ""
    )


def _number(text: str) -> int:
    """Return the number of a row, 0 for none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
