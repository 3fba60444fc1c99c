"""What ``GET /jobs`` takes in its query."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from rest_framework.request import Request

from jobs.listing import LARGEST_ID, JobFilter
from jobs.states import State
from pirunner.api import short_text, whole_number
from pirunner.errors import Fault, InvalidPayload
from pirunner.times import parse_moment

PAGE = 50
LARGEST_PAGE = 200


def filter_of(request: Request) -> JobFilter:
    """Return which jobs the client asks for. Raises ``InvalidPayload``."""
    return JobFilter(
        limit=whole_number(request, "limit", default=PAGE, least=1, most=LARGEST_PAGE),
        before=whole_number(request, "before", default=LARGEST_ID, least=1, most=LARGEST_ID),
        state=_state_of(request),
        job_type=short_text(request, "jobType", most=100),
        schedule_id=short_text(request, "scheduleId", most=100),
        since=_since_of(request),
        text=short_text(request, "q", most=200),
    )


def next_link(request: Request, next_before: int) -> str:
    """Return the ``Link`` header (RFC 8288) of the page that follows."""
    query = request.GET.copy()
    query["before"] = str(next_before)
    return f'<{request.path}?{query.urlencode()}>; rel="next"'


def _state_of(request: Request) -> State | None:
    raw = request.GET.get("state")
    if raw is None:
        return None
    try:
        return State(raw)
    except ValueError:
        known = ", ".join(State)
        raise InvalidPayload([Fault(("state",), "invalid_enum", f"state takes one of: {known}.")]) from None


def _since_of(request: Request) -> datetime | None:
    raw = short_text(request, "since", most=64)
    if raw is None:
        return None
    try:
        return parse_moment(raw, ZoneInfo(settings.TIME_ZONE))
    except ValueError:
        message = "since takes a moment like 2030-03-10T13:30:00+05:30, or milliseconds since 1970."
        raise InvalidPayload([Fault(("since",), "invalid_date", message)]) from None
