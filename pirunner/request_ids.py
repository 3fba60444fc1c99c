"""A name for each request: the client's ``X-Request-Id`` or one made here, in the answer and in the log lines.

A few lines of our own: django-structlog's middleware logs two lines a request, and looks up the user for them.
"""

import re
from collections.abc import Callable
from secrets import token_hex

from django.http import HttpRequest, HttpResponseBase

from pirunner.logs import bound

HEADER = "X-Request-Id"
_FIT = re.compile(r"[A-Za-z0-9._-]{1,64}")


def name_requests(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return the middleware. A name that may not stand in a log is replaced."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _FIT.fullmatch(given) else token_hex(8)
        with bound(request_id=request_id):
            response = get_response(request)
        response.headers[HEADER] = request_id
        return response

    return middleware
