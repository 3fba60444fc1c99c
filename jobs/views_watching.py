"""The API for watching a job: its log, and its events as a stream."""

from functools import partial

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.request import Request

from jobs.apps import LOG
from jobs.following import JobStream, LogPage, cursor_of, page_of_log
from jobs.selectors import get_job
from jobs.serializers import read_line
from pirunner.api import ApiView, caller_of, json_response, whole_number
from pirunner.callers import Scope
from pirunner.errors import Unavailable
from webhooks.watcher import EVENTS, LONGEST_WAIT, MOST_WAITERS, CannotWait, watcher

PAGE = 500
LARGEST_PAGE = 1000
LARGEST_CURSOR = 10**18
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Nobody on the way may keep the stream, or hold it back."""


class JobLogView(ApiView):
    """``/jobs/<id>/log``: the lines that a job wrote."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request, job_id: str) -> HttpResponse:
        """Return the lines after ``after``; with ``?wait=S`` as soon as there is one, or the job has ended."""
        after = whole_number(request, "after", default=0, least=0, most=LARGEST_CURSOR)
        limit = whole_number(request, "limit", default=PAGE, least=1, most=LARGEST_PAGE)
        seconds = whole_number(request, "wait", default=0, least=0, most=LONGEST_WAIT)
        only = caller_of(request).only
        read = partial(page_of_log, job_id, after=after, limit=limit, only=only)
        if seconds:
            number = watcher.look(partial(get_job, job_id, only=only)).pk
            page = watcher.read_until(number, read, LogPage.is_news, seconds, sources=(LOG, EVENTS))
        else:
            page = read()
        return json_response({"lines": [read_line(line) for line in page.lines], "next": page.next})


class JobEventsView(ApiView):
    """``/jobs/<id>/events``: what happens to a job, as server-sent events."""

    scopes = {"GET": Scope.JOBS_READ}
    http_method_names = ("get",)  # HEAD would take a place among those who wait

    def get(self, request: Request, job_id: str) -> StreamingHttpResponse:
        """Stream the job's state, events, progress and log until it ends; resumes after ``Last-Event-ID``."""
        cursor = cursor_of(request.headers.get("Last-Event-ID"), request.GET.get("lastEventId"))
        number = watcher.look(partial(get_job, job_id, only=caller_of(request).only)).pk
        try:
            stream = JobStream(number, cursor)
        except CannotWait:
            raise Unavailable(f"{MOST_WAITERS} clients wait already; come back later.", retry_after=5) from None
        return StreamingHttpResponse(stream, content_type="text/event-stream", headers=STREAM_HEADERS)
