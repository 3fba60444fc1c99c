"""Making and editing a schedule in a form: by the services of the API, with the faults at their fields."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from jobs.input_forms import InputForm, initial_of, input_form_class
from pirunner.admin_pages import person_of
from pirunner.errors import ApiError, Fault, InvalidPayload, NotFound
from schedules.admin.forms import PRESETS, ScheduleForm, blank_values, explained, zones
from schedules.admin.payloads import changes_of_form, field_at, submission_of, values_of
from schedules.admin.preview_fragment import timing_faults
from schedules.edits import changes_of, edit_body_of
from schedules.models import Schedule
from schedules.selectors import audit_of
from schedules.services import NameTaken, PreconditionFailed, edit_schedule, put_schedule
from schedules.submissions import check_schedule, name_faults, shape_with_timing

TEMPLATE = "admin/schedules/schedule/form.html"


def add_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show the form of a new schedule, or make what it says."""
    if request.method != "POST":
        chosen = {name: request.GET[name] for name in ("job_type", "cron", "name") if name in request.GET}
        return _shown(request, context, ScheduleForm(initial={**blank_values(), **chosen}), _blank(chosen))
    form, work = ScheduleForm(request.POST), _input_form(request.POST)
    if _are_valid(form, work):
        try:
            schedule = _made(form, work, request)
        except InvalidPayload as error:
            _put_faults(form, work, error.faults)
        except NameTaken as error:
            form.add_error("name", str(error))
        except ApiError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{schedule} was made.")
            return _to_page(schedule)
    return _shown(request, context, form, work)


def edit_page(request: HttpRequest, context: dict[str, Any], schedule: Schedule) -> HttpResponse:
    """Show the form of a schedule, or change what was changed in it, unless somebody else did meanwhile."""
    context = {**context, "version": schedule.version}
    initial = values_of(schedule)
    if request.method != "POST":
        form = ScheduleForm(initial=initial, fixed=schedule)
        return _shown(request, context, form, _kept_input(schedule), schedule)
    form, work = ScheduleForm(request.POST, initial=initial, fixed=schedule), _input_form(request.POST, schedule)
    read = request.POST.get("version", "")
    if read != str(schedule.version):
        return _overtaken(request, {**context, "version": read}, form, work, schedule)
    if not _are_valid(form, work):
        return _shown(request, context, form, work, schedule)
    try:
        changed = _edited(form, work, request, schedule)
    except PreconditionFailed:
        schedule.refresh_from_db()
        return _overtaken(request, context, form, work, schedule)
    except InvalidPayload as error:
        _put_faults(form, work, error.faults)
    except NameTaken as error:
        form.add_error("name", str(error))
    except ApiError as error:
        form.add_error(None, str(error))
    else:
        messages.success(request, f"{schedule} was changed." if changed else "Nothing was changed.")
        return _to_page(schedule)
    return _shown(request, context, form, work, schedule)


def input_fragment(request: HttpRequest) -> HttpResponse:
    """Show the input fields of the job type that was chosen just now."""
    context = {"work": _blank({"job_type": request.GET.get("job_type", "")})}
    return TemplateResponse(request, "admin/schedules/schedule/input.html", context)


def _made(form: ScheduleForm, work: InputForm | None, request: HttpRequest) -> Schedule:
    raw = submission_of(form.cleaned_data, work.cleaned_input() if work else {})
    by, name = person_of(request), form.cleaned_data["name"]
    faults = name_faults(name) if name else []
    try:
        new = check_schedule(raw, shape_with_timing(raw), owner=by, name=name)
    except InvalidPayload as error:
        raise InvalidPayload([*faults, *error.faults]) from None
    if faults:
        raise InvalidPayload(faults)
    # A person may make again what a person deleted; what exists is edited on its own page.
    schedule, _ = put_schedule(new, by=by, restore=True, replace=False)
    return schedule


def _edited(form: ScheduleForm, work: InputForm | None, request: HttpRequest, schedule: Schedule) -> bool:
    raw = changes_of_form(
        form.cleaned_data | {"backend": schedule.backend},
        form.initial,
        schedule.timing,
        work=work.cleaned_input() if work else schedule.input,
        work_changed=work is not None and work.has_changed(),
    )
    if not raw:
        return False
    changes, _ = changes_of(schedule, raw, edit_body_of(raw))
    edit_schedule(schedule.pk, changes, by=person_of(request), version=schedule.version)
    return bool(changes.names)


def _overtaken(
    request: HttpRequest, context: dict[str, Any], form: ScheduleForm, work: InputForm | None, schedule: Schedule
) -> HttpResponse:
    """Say who changed the schedule since the form was opened; what was typed stays, and nothing is saved."""
    form.is_valid()
    last = audit_of(schedule, limit=1)
    return _shown(request, {**context, "overtaken": True, "last": last[0] if last else None}, form, work, schedule)


def _are_valid(form: ScheduleForm, work: InputForm | None) -> bool:
    """Check both forms; when one is wrong, the faults of both are told, and what is wrong with the times."""
    checks = [form.is_valid(), work is None or work.is_valid()]
    if all(checks):
        return True
    known = set(form.errors)
    for field, sentences in timing_faults(form).items():
        if field in form.fields and field not in known:
            form.add_error(field, sentences)
    return False


def _put_faults(form: ScheduleForm, work: InputForm | None, faults: Iterable[Fault]) -> None:
    others = work.take_faults(faults) if work else list(faults)
    for fault in others:
        form.add_error(field_at(fault.path, form.cleaned_data.get("kind", "")), fault.message)


def _blank(chosen: dict[str, str]) -> InputForm | None:
    try:
        return input_form_class(chosen.get("job_type", ""))()
    except NotFound:
        return None


def _kept_input(schedule: Schedule) -> InputForm | None:
    try:
        made = input_form_class(schedule.job_type)
    except NotFound:
        return None
    return made(initial=initial_of(schedule.job_type, schedule.input))


def _input_form(data: QueryDict, schedule: Schedule | None = None) -> InputForm | None:
    """Return the form of the job type that was sent; None if there is no such type."""
    job_type = data.get("job_type", "")
    try:
        made = input_form_class(job_type)
    except NotFound:
        return None
    same = schedule is not None and schedule.job_type == job_type
    return made(data, initial=initial_of(job_type, schedule.input) if same and schedule else {})


def _shown(
    request: HttpRequest,
    context: dict[str, Any],
    form: ScheduleForm,
    work: InputForm | None,
    schedule: Schedule | None = None,
) -> HttpResponse:
    wrong = [each.errors for each in (form, work) if each is not None and each.is_bound]
    preview = reverse("admin:schedules_schedule_preview")
    more = {
        "form": form,
        "work": work,
        "presets": PRESETS,
        "zones": zones(),
        "kinds": explained("kind"),
        "backends": explained("backend"),
        "faults": sum(len(errors) for errors in wrong),
        "preview_url": f"{preview}?of={schedule.pk}" if schedule else preview,
        "inputs_url": reverse("admin:schedules_schedule_inputs"),
    }
    return TemplateResponse(request, TEMPLATE, {**context, **more})


def _to_page(schedule: Schedule) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:schedules_schedule_change", args=[schedule.pk]))
