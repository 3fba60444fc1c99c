"""The addresses under ``/jobs`` where there may be a job or a schedule."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from jobs import views as jobs_views
from jobs.models import Job
from jobs.selectors import get_job
from jobs.snoozing import due_at_of, snooze, wants_snooze
from pirunner.api import ApiView, caller_of, json_response, read_json
from pirunner.callers import Scope
from pirunner.errors import Conflict
from pirunner.times import iso
from schedules.selectors import is_schedule_id
from schedules.submissions import prepare
from schedules.views import delete_response, patch_response, schedule_for, schedule_response


class NotASchedule(Conflict):
    """The id is a job's, and only schedules can be changed."""

    code = "not_a_schedule"


class NotAJob(Conflict):
    """The id is a schedule's, and only jobs can be cancelled, retried, or looked into."""

    code = "not_a_job"


class SubmitView(jobs_views.JobsView):
    """``/jobs``: submit a job or a schedule, list jobs."""

    prepare = staticmethod(prepare)


class SubmitBatchView(jobs_views.JobsBatchView):
    """``/jobs/batch``: submit many."""

    prepare = staticmethod(prepare)


class JobOrScheduleView(jobs_views.JobView):
    """``/jobs/<id>``: read or delete a job or a schedule, change a schedule."""

    scopes = {
        "GET": Scope.JOBS_READ,
        "PATCH": (Scope.JOBS_WRITE, Scope.SCHEDULES_WRITE),
        "DELETE": (Scope.JOBS_WRITE, Scope.SCHEDULES_WRITE),
    }

    def get(self, request: Request, job_id: str) -> HttpResponse:
        """Return the job or the schedule."""
        if is_schedule_id(job_id):
            return schedule_response(schedule_for(request, job_id))
        return super().get(request, job_id)

    def patch(self, request: Request, job_id: str) -> HttpResponse:
        """Pause, resume or edit a schedule; snooze a reminder."""
        caller = caller_of(request)
        if not is_schedule_id(job_id):
            job = get_job(job_id, only=caller.only)
            if wants_snooze(raw := read_json(request)):
                caller.require(Scope.JOBS_WRITE)
                caller.check_job_type(job.job_type)
                return _snooze(job, raw)
            raise NotASchedule(f"{job_id} is a job, and a job is not changed; cancel it and submit another one.")
        caller.require(Scope.SCHEDULES_WRITE)
        return patch_response(request, schedule_for(request, job_id))

    def delete(self, request: Request, job_id: str) -> HttpResponse:
        """Delete a job that is not active, or a schedule."""
        if is_schedule_id(job_id):
            caller_of(request).require(Scope.SCHEDULES_WRITE)
            return delete_response(request, schedule_for(request, job_id))
        caller_of(request).require(Scope.JOBS_WRITE)
        return super().delete(request, job_id)


def _snooze(job: Job, raw: Any) -> HttpResponse:
    snoozed = snooze(job.pk, due_at_of(raw, timezone.now()))
    answer = {"ok": True, "id": str(job.pk), "backend": job.backend, "jobId": str(snoozed.job_id)}
    return json_response({**answer, "dueAt": iso(snoozed.due_at), "snoozes": snoozed.snoozes})


class OnlyOfJobsView(ApiView):
    """``/jobs/<id>/cancel`` and the like, with the id of a schedule: says what to call instead."""

    scopes = {"GET": Scope.JOBS_READ, "POST": (Scope.JOBS_WRITE, Scope.SCHEDULES_WRITE)}

    def get(self, request: Request, schedule_id: str) -> HttpResponse:
        """Refuse, with the calls that a schedule has."""
        public_id = schedule_for(request, schedule_id).public_id
        raise NotAJob(
            f"{public_id} is a schedule. GET /jobs?scheduleId={public_id} lists its jobs; PATCH /jobs/{public_id} "
            f"pauses and resumes it, DELETE removes it, and POST /schedules/{public_id}/run submits a job of it now."
        )

    post = get
