"""Submitting a job by hand: the form of a job type, and what becomes of it when it is sent.

It goes the way of ``POST /jobs``, with the person as its owner; the form's own idempotency key makes one job of two
clicks.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from jobs.catalog import allowed, find
from jobs.contract import JobType
from jobs.input_fields import json_field
from jobs.input_forms import InputForm, initial_of, input_form_class
from jobs.intake import intake
from jobs.models import Job
from jobs.selectors import IdempotencyMismatch, find_job
from jobs.services import Accepted, ConcurrencyConflict
from jobs.submissions import prepare_submission
from pirunner.admin_pages import person_of
from pirunner.audit import Act, note_act
from pirunner.errors import ApiError, Fault, InvalidPayload
from pirunner.wording import counted, span

KEY = "key"
"""The form's field with its idempotency key."""


class MoreForm(forms.Form):
    """What every job has beside its input; all of it may stay empty."""

    use_required_attribute = False

    run_at = forms.CharField(
        required=False,
        label="Run at",
        widget=UnfoldAdminTextInputWidget(),
    )
    priority = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10,
        widget=UnfoldAdminIntegerFieldWidget({"placeholder": "5"}),
        help_text="1 is the most urgent, 10 the least; left empty: 5.",
    )
    callback_url = forms.CharField(
        required=False,
        label="Callback URL",
        widget=UnfoldAdminTextInputWidget({"inputmode": "url", "placeholder": "https://agent.example/hook"}),
    )
    concurrency_key = forms.CharField(
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget({"placeholder": "invoices"}),
        help_text="Of the jobs that share a key, one runs at a time.",
    )
    on_conflict = forms.ChoiceField(
        required=False,
        label="If one of that key has not ended",
        choices=(("", "Wait for it"), ("reject", "Do not accept this one"), ("replace", "Cancel it")),
        widget=UnfoldAdminSelectWidget(),
    )
    metadata = json_field({"description": "Comes back in each callback.", "examples": [{"ticket": 42}]}, False, {})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = self.fields["run_at"].widget
        widget.input_type = "datetime-local"
        self.fields["run_at"].help_text = f"On the clock of {settings.TIME_ZONE}; left empty: now."
        default = settings.CALLBACK_URL
        self.fields["callback_url"].help_text = f"Left empty: {default or 'nobody is called back'}."

    def payload(self) -> dict[str, Any]:
        """Return what was filled in, as the API calls it."""
        given = self.cleaned_data
        fields = {
            "priority": given.get("priority"),
            "callbackUrl": given.get("callback_url"),
            "concurrencyKey": given.get("concurrency_key"),
            "onConflict": given.get("on_conflict"),
            "metadata": given.get("metadata"),
            "schedule": {"runAt": given["run_at"], "tz": settings.TIME_ZONE} if given.get("run_at") else None,
        }
        return {name: value for name, value in fields.items() if value not in (None, "")}

    def take_faults(self, faults: Iterable[Fault]) -> list[Fault]:
        """Put the faults of a refused payload on their fields; return those that have none here."""
        left = []
        for fault in faults:
            name = _FIELDS.get(fault.path[:2]) or _FIELDS.get(fault.path[:1])
            if name is None:
                left.append(fault)
            elif fault.message not in self.errors.get(name, ()):
                self.add_error(name, fault.message)
        return left

    def is_filled_in(self) -> bool:
        """Return whether there is anything to see: then the form is unfolded."""
        shown = (self[name].value() for name in self.fields)
        return bool(self.errors) or any(value not in (None, "") for value in shown)


_FIELDS: Mapping[tuple[Any, ...], str] = {
    ("priority",): "priority",
    ("callbackUrl",): "callback_url",
    ("concurrencyKey",): "concurrency_key",
    ("onConflict",): "on_conflict",
    ("metadata",): "metadata",
    ("schedule", "runAt"): "run_at",
    ("schedule",): "run_at",
}


def submit_page(request: HttpRequest) -> HttpResponse:
    """Answer with the job types to choose from, with the form of one, or with where the new job is."""
    if not request.user.has_perm("jobs.add_job"):
        raise PermissionDenied
    like = find_job(request.GET.get("like", ""))
    job_type = find(request.GET.get("type", "") or (like.job_type if like else ""))
    if job_type is None:
        return _choose(request)
    if request.method == "POST":
        return _submit(request, job_type)
    input_form = input_form_class(job_type.name)(initial=initial_of(job_type.name, like.input) if like else None)
    return _show(request, job_type, input_form, MoreForm(initial=_initial(like)), like=like)


def _choose(request: HttpRequest) -> HttpResponse:
    name = request.GET.get("type", "")
    if name:
        messages.warning(request, f"There is no job type {name[:80]!r} here. Choose one of these.")
    context = {"title": "Submit a job", "types": [_card(job_type) for job_type in allowed().values()]}
    return _answer(request, "admin/jobs/job/choose.html", context)


def _card(job_type: JobType) -> dict[str, Any]:
    limit = span(job_type.time_limit)
    tries = counted(job_type.attempts, "attempt")
    return {"job_type": job_type, "limits": f"{tries}, up to {limit} each"}


def _initial(like: Job | None) -> dict[str, Any]:
    if like is None:
        return {}
    usual = 5
    return {
        "priority": None if like.priority == usual else like.priority,
        "callback_url": like.callback_url,
        "concurrency_key": like.concurrency_key,
        "metadata": like.metadata,
    }


def _submit(request: HttpRequest, job_type: JobType) -> HttpResponse:
    owner = person_of(request)
    input_form = input_form_class(job_type.name)(request.POST, owner=owner)
    more = MoreForm(request.POST)
    # Both and the payload in any case, so that all faults are told at once.
    valid = all([input_form.is_valid(), more.is_valid()])
    payload = {"jobType": job_type.name, "input": input_form.cleaned_input(), **more.payload()}
    try:
        prepared = prepare_submission(payload, owner=owner, header=request.POST.get(KEY) or None)
        if not valid:
            return _show(request, job_type, input_form, more)
        accepted = prepared if isinstance(prepared, Accepted) else intake.submit(prepared)
    except InvalidPayload as refusal:
        others = [fault for fault in refusal.faults if fault.path[:1] != ("input",)]
        faults = more.take_faults(input_form.take_faults(refusal.faults) if valid else others)
        return _show(request, job_type, input_form, more, told=[fault.message for fault in faults])
    except IdempotencyMismatch:
        told = "This form was submitted already, with something else in it. Submit it again to make another job."
        return _show(request, job_type, input_form, more, told=[told])
    except ConcurrencyConflict as refusal:
        more.add_error("on_conflict", str(refusal))
        return _show(request, job_type, input_form, more)
    except ApiError as refusal:
        return _show(request, job_type, input_form, more, told=[str(refusal)], key=request.POST.get(KEY, ""))
    return _accepted(request, job_type, accepted)


def _accepted(request: HttpRequest, job_type: JobType, accepted: Accepted) -> HttpResponse:
    number = int(accepted.answer["jobId"])
    if accepted.deduplicated:
        messages.info(request, "This form was submitted already: this is its job.")
    else:
        note_act(request, Job(pk=number, job_type=job_type.name), Act.MADE, "submitted")
        messages.success(request, f"Job {number} is accepted.")
    for warning in accepted.answer.get("warnings", ()):
        messages.warning(request, warning)
    return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[number]))


def _show(
    request: HttpRequest,
    job_type: JobType,
    input_form: InputForm,
    more: MoreForm,
    *,
    told: Iterable[str] = (),
    key: str = "",
    like: Job | None = None,
) -> HttpResponse:
    is_refused = request.method == "POST"
    context = {
        "title": f"Submit {job_type.name}",
        "job_type": job_type,
        "limits": _card(job_type)["limits"],
        "input_form": input_form,
        "more": more,
        "told": [*told, *input_form.non_field_errors(), *more.non_field_errors()],
        "is_refused": is_refused,
        KEY: key or uuid4().hex,
        "like": like,
        "here": f"?type={job_type.name}",
    }
    return _answer(request, "admin/jobs/job/submit.html", context, status=400 if is_refused else 200)


def _answer(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context}, status=status)
