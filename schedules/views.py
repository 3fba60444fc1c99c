"""The API of schedules: HTTP in, services and selectors, HTTP out."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from pirunner.api import (
    ApiView,
    caller_of,
    choice_of,
    json_response,
    moment_of,
    next_link,
    read_json,
    short_text,
    whole_number,
)
from pirunner.callers import Scope
from pirunner.errors import InvalidPayload
from pirunner.times import iso
from schedules.edits import changes_of, check_edit, edit_body_of
from schedules.etags import etag_of, version_wanted
from schedules.firing import run_now
from schedules.models import Schedule
from schedules.previews import preview_of
from schedules.rules import Backend
from schedules.selectors import (
    LARGEST_ID,
    ScheduleFilter,
    find_schedule,
    get_schedule,
    latest_occurrences,
    list_schedules,
    occurrences_of,
)
from schedules.serializers import read_as_job, read_occurrence, read_schedule
from schedules.services import (
    answer_for,
    delete_schedule,
    edit_schedule,
    pause_schedule,
    put_schedule,
    resume_schedule,
)
from schedules.submissions import check_schedule, name_faults, shape_with_timing
from schedules.timing import known_timing_of

PAGE = LARGEST_PAGE = 1000  # clients of pi-agent-runner know of no second page
OCCURRENCES = 50
MOST_OCCURRENCES = 500


class SchedulesView(ApiView):
    """``/schedules``: list them."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request) -> HttpResponse:
        """Return schedules, oldest first; the next page is in the ``Link`` header."""
        page, after = list_schedules(replace(_filter_of(request), only=caller_of(request).only))
        latest = latest_occurrences(page)
        headers = {"Link": next_link(request, "after", str(after))} if after else None
        items = [read_schedule(schedule, latest.get(schedule.pk)) for schedule in page]
        return json_response({"schedules": items}, headers=headers)


class ScheduleView(ApiView):
    """``/schedules/<name or id>``: put one by its name; read, change or delete it."""

    scopes = {
        "GET": Scope.JOBS_READ,
        "PUT": Scope.SCHEDULES_WRITE,
        "PATCH": Scope.SCHEDULES_WRITE,
        "DELETE": Scope.SCHEDULES_WRITE,
    }

    def put(self, request: Request, reference: str) -> HttpResponse:
        """Make the schedule of this name, or let it be as the body says: 201 if it was made, else 200.

        Only ``admin`` may make one again that a person deleted.
        """
        restore = request.GET.get("restore") == "true"
        caller = caller_of(request)
        if restore:
            caller.require(Scope.ADMIN)
        if faults := name_faults(reference):
            raise InvalidPayload(faults)
        raw = read_json(request)
        body = shape_with_timing(raw)
        caller.check_submission(body.job_type, recurs=True, replaces=body.replaces)
        current = find_schedule(reference)
        if current is not None:
            caller.check_job_type(current.job_type)
        new = check_schedule(raw, body, owner=caller.name, name=reference, known=known_timing_of(current))
        version = version_wanted(request, current)
        schedule, made = put_schedule(new, by=caller.name, restore=restore, version=version, only=caller.only)
        answer = {
            **answer_for(schedule, new.warnings),
            "name": schedule.name,
            "enabled": schedule.enabled,
            "nextDueAt": iso(schedule.next_due_at),
        }
        return json_response(answer, 201 if made else 200, {"ETag": etag_of(schedule)})

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Return the schedule as ``GET /jobs/<id>`` does."""
        return schedule_response(schedule_for(request, reference))

    def patch(self, request: Request, reference: str) -> HttpResponse:
        """Pause, resume or edit the schedule."""
        return patch_response(request, schedule_for(request, reference))

    def delete(self, request: Request, reference: str) -> HttpResponse:
        """Delete the schedule; its jobs stay."""
        return delete_response(request, schedule_for(request, reference))


class PreviewView(ApiView):
    """``/schedules/preview``: when a schedule would fire."""

    scopes = {"POST": (Scope.JOBS_READ, Scope.SCHEDULES_WRITE), "PUT": Scope.SCHEDULES_WRITE}

    def put(self, request: Request) -> HttpResponse:  # noqa: ARG002  (every view gets the request)
        """Refuse to make a schedule of this name."""
        raise InvalidPayload(name_faults("preview"))

    def post(self, request: Request) -> HttpResponse:
        """Return the next fire times of a schedule; nothing is stored."""
        return json_response(preview_of(read_json(request), now=timezone.now()))


class RunView(ApiView):
    """``/schedules/<id>/run``: fire once now."""

    scopes = {"POST": Scope.SCHEDULES_WRITE}

    def post(self, request: Request, reference: str) -> HttpResponse:
        """Submit a job of the schedule at once."""
        schedule = schedule_for(request, reference)
        caller_of(request).check_job_type(schedule.job_type)
        job = run_now(schedule.pk, by=caller_of(request).name)
        return json_response({"jobId": str(job.pk), "scheduleId": schedule.public_id}, 202)


class OccurrencesView(ApiView):
    """``/schedules/<id>/occurrences``: every due time and what became of it."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Return the occurrences due before ``after``, newest first; the next page is in the ``Link`` header."""
        schedule = schedule_for(request, reference)
        limit = whole_number(request, "limit", default=OCCURRENCES, least=1, most=MOST_OCCURRENCES)
        before = moment_of(request, "after", takes="the dueAt of the last one you have, like 2030-03-10T13:30:00.000Z")
        found = occurrences_of(schedule, before=before, limit=limit + 1)
        page = found[:limit]
        more = len(found) > limit
        headers = {"Link": next_link(request, "after", page[-1].due_at.isoformat())} if more else None
        return json_response({"occurrences": [read_occurrence(occurrence) for occurrence in page]}, headers=headers)


def schedule_for(request: Request, reference: str) -> Schedule:
    """Return the schedule with this public id or name; raises ``NotFound``, also if the caller may not see it."""
    return get_schedule(reference, only=caller_of(request).only)


def schedule_response(schedule: Schedule) -> HttpResponse:
    """Return a schedule as ``GET /jobs/<id>`` shows it, with its ETag."""
    latest = latest_occurrences([schedule]).get(schedule.pk)
    return json_response(read_as_job(schedule, latest), headers={"ETag": etag_of(schedule)})


def patch_response(request: Request, schedule: Schedule) -> HttpResponse:
    """Change a schedule as the body says: edit it, then pause or resume it."""
    raw = read_json(request)
    body = edit_body_of(raw)
    version = version_wanted(request, schedule)
    caller = caller_of(request)
    by = caller.name
    check_edit(caller, schedule, body)
    if version is None and caller.is_limited:
        # What it may make of this version says nothing of one that another request makes meanwhile.
        version = schedule.version
    changes, warnings = changes_of(schedule, raw, body)
    if changes.names:
        schedule = edit_schedule(schedule.pk, changes, by=by, version=version)
        version = schedule.version if version is not None else None
    if body.action == "pause":
        schedule = pause_schedule(schedule.pk, by=by, version=version)
    elif body.action == "resume":
        schedule = resume_schedule(schedule.pk, by=by, version=version)
    answer: dict[str, Any] = {
        "ok": True,
        "id": schedule.public_id,
        "backend": schedule.backend_alias,
        "enabled": schedule.enabled,
        "nextDueAt": iso(schedule.next_due_at),
    }
    if schedule.backend == Backend.SYSTEMD:
        answer["note"] = "The installer brings systemd's timer in line at its next sync."
    if warnings:
        answer["warnings"] = warnings
    return json_response(answer, headers={"ETag": etag_of(schedule)})


def delete_response(request: Request, schedule: Schedule) -> HttpResponse:
    """Delete a schedule."""
    delete_schedule(schedule.pk, by=caller_of(request).name, version=version_wanted(request, schedule))
    answer = {"ok": True, "id": schedule.public_id, "removed": True, "backend": schedule.backend_alias}
    return json_response(answer)


def _filter_of(request: Request) -> ScheduleFilter:
    return ScheduleFilter(
        limit=whole_number(request, "limit", default=PAGE, least=1, most=LARGEST_PAGE),
        after=whole_number(request, "after", default=0, least=0, most=LARGEST_ID),
        backend=choice_of(
            request, "backend", {"celery": Backend.CELERY, "bullmq": Backend.CELERY, "systemd": Backend.SYSTEMD}
        ),
        enabled=choice_of(request, "enabled", {"true": True, "false": False}),
        job_type=short_text(request, "jobType", most=100),
        name=short_text(request, "name", most=200),
    )
