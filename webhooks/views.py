"""The API of events: HTTP in, selectors, HTTP out."""

from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from pirunner.api import ApiView, caller_of, json_response, whole_number
from pirunner.callers import Scope
from webhooks.ownership import OwnEvents
from webhooks.selectors import page_of_events
from webhooks.serializers import read_event
from webhooks.watcher import EVERY_JOB, LONGEST_WAIT, watcher

PAGE = 100
LARGEST_PAGE = 500
LARGEST_CURSOR = 10**18


class EventsView(ApiView):
    """``/events``: everything that happens to jobs, in order, for whoever keeps a cursor."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request) -> HttpResponse:
        """Return the events after ``after`` (without it, from the oldest kept); ``?wait=S`` waits for the first."""
        limit = whole_number(request, "limit", default=PAGE, least=1, most=LARGEST_PAGE)
        seconds = whole_number(request, "wait", default=0, least=0, most=LONGEST_WAIT)
        after = whole_number(request, "after", default=-1, least=0, most=LARGEST_CURSOR)
        first = None if after < 0 else after
        only = caller_of(request).only
        read = OwnEvents(only, after=first, limit=limit) if only else partial(page_of_events, after=first, limit=limit)
        page = watcher.read_until(EVERY_JOB, read, lambda page: bool(page.events), seconds) if seconds else read()
        return json_response({"events": [read_event(event) for event in page.events], "next": page.next})
