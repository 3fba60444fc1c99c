"""What can be done from the front page: one button, one call, one sentence about what came of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from jobs.models import Job
from jobs.steering import cancel_job, retry_job
from pirunner.admin_pages import person_of
from pirunner.audit import Act, note_act
from pirunner.errors import ApiError, NotFound
from schedules.firing import run_now
from webhooks.models import Delivery
from webhooks.replay import replay_deliveries


@dataclass(frozen=True, slots=True)
class Button:
    """What a button does to a row, who may press it, and how that is told and noted.

    ``do`` takes the row's id and who does it, and returns the row that was changed; schedules keep an audit of their
    own (``noted`` empty).
    """

    permission: str
    do: Callable[[int, str], Model]
    told: str
    noted: str


def _cancel(job_id: int, by: str) -> Model:
    return cancel_job(job_id, by=by)


def _retry(job_id: int, by: str) -> Model:
    return retry_job(job_id, by=by)


def _run(schedule_id: int, by: str) -> Model:
    return run_now(schedule_id, by=by)


def _replay(delivery_id: int, by: str) -> Model:  # noqa: ARG001  (every button is given it)
    if not replay_deliveries([delivery_id]):
        raise NotFound(f"Callback {delivery_id} is no dead letter any more.")
    return Delivery.objects.defer("body").get(pk=delivery_id)


BUTTONS = {
    "cancel": Button("jobs.change_job", _cancel, "Job {pk} is being cancelled.", "cancelled"),
    "retry": Button("jobs.change_job", _retry, "Job {pk} will run again.", "queued again"),
    "run": Button("schedules.change_schedule", _run, "Job {pk} was submitted.", ""),
    "replay": Button("webhooks.change_delivery", _replay, "Callback {pk} is sent again.", "replayed"),
}


@require_POST
def press(request: HttpRequest, act: str, row_id: int) -> HttpResponse:
    """Do it, and tell what came of it in a header that the page reads out."""
    if not admin.site.has_permission(request):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    button = BUTTONS.get(act)
    if button is None:
        raise Http404
    if not request.user.has_perm(button.permission):
        raise PermissionDenied
    try:
        row = button.do(row_id, person_of(request))
    except ApiError as error:
        return _told("bad", str(error))
    if button.noted and isinstance(row, Job | Delivery):
        note_act(request, row, Act.CHANGED, button.noted)
    return _told("ok", button.told.format(pk=row.pk))


def _told(level: str, text: str) -> HttpResponse:
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"told": {"level": level, "text": text}})})
