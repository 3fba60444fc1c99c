"""The addresses under ``/jobs`` where there may be a job or a schedule."""

from django.http import HttpResponse
from rest_framework.request import Request

from jobs import views as jobs_views
from jobs.selectors import get_job
from pirunner.api import ApiView
from pirunner.errors import Conflict
from schedules.selectors import get_schedule, is_schedule_id
from schedules.submissions import prepare
from schedules.views import delete_response, patch_response, schedule_response


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

    def get(self, request: Request, job_id: str) -> HttpResponse:
        """Return the job or the schedule."""
        return schedule_response(get_schedule(job_id)) if is_schedule_id(job_id) else super().get(request, job_id)

    def patch(self, request: Request, job_id: str) -> HttpResponse:
        """Pause, resume or edit a schedule."""
        if not is_schedule_id(job_id):
            get_job(job_id)
            raise NotASchedule(f"{job_id} is a job, and a job is not changed; cancel it and submit another one.")
        return patch_response(request, get_schedule(job_id))

    def delete(self, request: Request, job_id: str) -> HttpResponse:
        """Delete a job that is not active, or a schedule."""
        if is_schedule_id(job_id):
            return delete_response(request, get_schedule(job_id))
        return super().delete(request, job_id)


class OnlyOfJobsView(ApiView):
    """``/jobs/<id>/cancel`` and the like, with the id of a schedule: says what to call instead."""

    def get(self, request: Request, schedule_id: str) -> HttpResponse:  # noqa: ARG002  (every view gets the request)
        """Refuse, with the calls that a schedule has."""
        public_id = get_schedule(schedule_id).public_id
        raise NotAJob(
            f"{public_id} is a schedule. GET /jobs?scheduleId={public_id} lists its jobs; PATCH /jobs/{public_id} "
            f"pauses and resumes it, DELETE removes it, and POST /schedules/{public_id}/run submits a job of it now."
        )

    post = get
