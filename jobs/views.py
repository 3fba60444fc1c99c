"""The API of jobs: HTTP in, services and selectors, HTTP out."""

from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from jobs import results, selectors
from jobs.batch import batch_of, submit_batch
from jobs.catalog import job_types_document
from jobs.digest import LINES
from jobs.intake import intake
from jobs.listing import list_jobs
from jobs.queries import filter_of
from jobs.selectors import get_job
from jobs.serializers import read_job, read_job_whole
from jobs.services import Accepted
from jobs.spending import spent_of_job
from jobs.states import FINAL_STATES, State
from jobs.steering import cancel_job, delete_job, retry_job
from jobs.submissions import HEADER, Prepare, prepare_submission
from pirunner.api import ApiView, Scopes, as_api_error, caller_of, json_response, next_link, read_json, whole_number
from pirunner.callers import Scope
from pirunner.errors import Unavailable
from pirunner.signs import workers_alive
from pirunner.times import iso
from webhooks.selectors import delivery_figures
from webhooks.serializers import read_figures
from webhooks.watcher import LONGEST_WAIT, watcher


class JobsView(ApiView):
    """``/jobs``: submit one, list them. ``prepare`` reads what is submitted."""

    scopes = {"GET": Scope.JOBS_READ, "POST": (Scope.JOBS_WRITE, Scope.SCHEDULES_WRITE)}
    prepare: Prepare = staticmethod(prepare_submission)

    def post(self, request: Request) -> HttpResponse:
        """Accept a job: 202, or 200 with the first answer for a repetition under the same key."""
        header = request.headers.get(HEADER)
        caller = caller_of(request)
        permit = caller.check_submission
        prepared = self.prepare(read_json(request), owner=caller.name, header=header, permit=permit)
        accepted = prepared if isinstance(prepared, Accepted) else intake.submit(prepared)
        return json_response(accepted.as_dict(), 200 if accepted.deduplicated else 202)

    def get(self, request: Request) -> HttpResponse:
        """List jobs, newest first; the next page is in the ``Link`` header."""
        page = list_jobs(replace(filter_of(request), only=caller_of(request).only))
        headers = {"Link": next_link(request, "before", str(page.next_before))} if page.next_before else None
        jobs = [read_job(job, left_out=job.pk in page.left_out) for job in page.jobs]
        return json_response(jobs, headers=headers)


class JobsBatchView(ApiView):
    """``/jobs/batch``: submit many. ``prepare`` reads each that is submitted."""

    scopes = {"POST": (Scope.JOBS_WRITE, Scope.SCHEDULES_WRITE)}
    prepare: Prepare = staticmethod(prepare_submission)

    def post(self, request: Request) -> HttpResponse:
        """Accept what can be accepted, and answer for each in order: 202, or 400 (503) if none was taken."""
        raw = read_json(request, most_bytes=settings.MAX_BATCH_BYTES, in_parts=True)
        items = batch_of(raw, request.headers.get(HEADER))
        caller = caller_of(request)
        permit = caller.check_submission
        outcomes = [
            outcome if isinstance(outcome, Accepted) else as_api_error(outcome, request)
            for outcome in submit_batch(items, owner=caller.name, prepare=self.prepare, permit=permit)
        ]
        answers = [outcome.as_dict() for outcome in outcomes]
        if any(isinstance(outcome, Accepted) for outcome in outcomes):
            return json_response(answers, 202)
        busy = next((outcome for outcome in outcomes if isinstance(outcome, Unavailable)), None)
        return json_response(answers, 503, busy.headers) if busy else json_response(answers, 400)


class JobView(ApiView):
    """``/jobs/<id>``: read one, delete it."""

    scopes: Scopes = {"GET": Scope.JOBS_READ, "DELETE": Scope.JOBS_WRITE}

    def get(self, request: Request, job_id: str) -> HttpResponse:
        """Return the job; with ``?wait=S`` as soon as it has ended, or after S seconds as it is then."""
        seconds = whole_number(request, "wait", default=0, least=0, most=LONGEST_WAIT)
        only = caller_of(request).only
        read = partial(_whole, job_id, only)
        if not seconds:
            return json_response(read())
        number = watcher.look(partial(get_job, job_id, only=only)).pk
        return json_response(watcher.read_until(number, read, lambda job: job["state"] in FINAL_STATES, seconds))

    def delete(self, request: Request, job_id: str) -> HttpResponse:
        """Delete a job that is not active."""
        job = get_job(job_id, only=caller_of(request).only)
        delete_job(job.pk)
        return json_response({"ok": True, "id": job_id, "removed": True, "backend": job.backend})


class JobCancelView(ApiView):
    """``/jobs/<id>/cancel``: stop a job."""

    scopes = {"POST": Scope.JOBS_WRITE}

    def post(self, request: Request, job_id: str) -> HttpResponse:
        """Cancel the job; 202 while its worker still has to stop it, 200 when it is cancelled."""
        caller = caller_of(request)
        job = cancel_job(get_job(job_id, only=caller.only).pk, by=caller.name)
        done = job.state == State.CANCELLED
        answer = {"ok": True, "id": job_id, "state": job.state, "cancelRequestedAt": iso(job.cancel_requested_at)}
        return json_response(answer, 200 if done else 202)


class JobRetryView(ApiView):
    """``/jobs/<id>/retry``: run an ended job again."""

    scopes = {"POST": Scope.JOBS_WRITE}

    def post(self, request: Request, job_id: str) -> HttpResponse:
        """Make the job wait for a new attempt."""
        caller = caller_of(request)
        job = get_job(job_id, only=caller.only)
        caller.check_job_type(job.job_type)
        job = retry_job(job.pk, by=caller.name)
        return json_response({"ok": True, "id": job_id, "state": job.state}, 202)


class JobTypesView(ApiView):
    """``/job-types``: the allowlist."""

    scopes = {"GET": (Scope.JOBS_READ, Scope.JOBS_WRITE, Scope.SCHEDULES_WRITE)}

    def get(self, request: Request) -> HttpResponse:
        """Return name, description, input schema and limits of each type that the caller may have run."""
        may = caller_of(request).job_types
        return json_response({"jobTypes": [each for each in job_types_document() if not may or each["name"] in may]})


class QueueStatsView(ApiView):
    """``/queues/stats``: how many jobs are where."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002
        """Return the counts by state, the age of the oldest waiting job in seconds, the workers and the callbacks."""
        now = timezone.now()
        counts: dict[str, Any] = selectors.count_states()
        counts["oldestWaitingSeconds"] = selectors.oldest_waiting_age(now)
        counts["workersAlive"] = workers_alive()
        counts["callbacks"] = read_figures(delivery_figures(now))
        return json_response(counts)


def _whole(job_id: str, only: str | None) -> dict[str, Any]:
    job = get_job(job_id, only=only)
    runs = results.history(job.pk, job.run)
    artifacts = selectors.artifacts_of_job(job.pk)
    return read_job_whole(
        job,
        runs=runs,
        artifacts=artifacts,
        last_lines=selectors.last_lines_of_job(job.pk, LINES),
        spent=spent_of_job(job.pk),
    )
