"""What ``GET /jobs`` takes in its query."""

from rest_framework.request import Request

from jobs.listing import LARGEST_ID, JobFilter
from jobs.states import State
from pirunner.api import choice_of, moment_of, short_text, whole_number

PAGE = 50
LARGEST_PAGE = 200


def filter_of(request: Request) -> JobFilter:
    """Return which jobs the client asks for. Raises ``InvalidPayload``."""
    return JobFilter(
        limit=whole_number(request, "limit", default=PAGE, least=1, most=LARGEST_PAGE),
        before=whole_number(request, "before", default=LARGEST_ID, least=1, most=LARGEST_ID),
        state=choice_of(request, "state", {state.value: state for state in State}),
        job_type=short_text(request, "jobType", most=100),
        schedule_id=short_text(request, "scheduleId", most=100),
        since=moment_of(request, "since", takes="a moment like 2030-03-10T13:30:00+05:30, or milliseconds since 1970"),
        text=short_text(request, "q", most=200),
    )
