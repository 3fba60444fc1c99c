"""Passing requests on to Flower, which listens on loopback behind a password that its readers need not know.

django-revproxy would do it too, but hands the session's cookie on, waits without an end, and leaves out the protection
against forged requests; what is left of it is shorter than what would have to be overridden.
"""

import base64
import hashlib

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from urllib3 import HTTPConnectionPool, Retry, Timeout
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers

from pirunner import env, flower_note

_TIMEOUT = Timeout(connect=2.0, read=20.0)
_MOST_BYTES = 16 * 1024 * 1024
_PASSED_ON = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "If-Modified-Since", "If-None-Match"),
    *("Origin", "Sec-Fetch-Site", "X-Requested-With"),
)
_PASSED_BACK = (
    *("Cache-Control", "Content-Encoding", "Content-Type", "ETag", "Last-Modified", "Location", "Vary"),
    "X-Content-Type-Options",
)
INLINE_SCRIPT = "\nvar autorefresh = 1;\n"
"""The one script that Flower writes into a page, allowed by its hash and not with any other."""
_HASH = base64.b64encode(hashlib.sha256(INLINE_SCRIPT.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; script-src 'self' 'sha256-{_HASH}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
"""What Flower's pages may load: its own files. Its tables set widths in ``style`` attributes."""


class FlowerDown(Exception):
    """Flower does not run here, or does not answer."""


def pass_on(request: HttpRequest) -> HttpResponse:
    """Return what Flower answers to a request, under a policy of its own; raises ``FlowerDown``."""
    port = flower_note.read(settings.RUNNER_DATA_DIR)
    if port is None:
        raise FlowerDown
    try:
        with HTTPConnectionPool("127.0.0.1", port, timeout=_TIMEOUT, retries=Retry(0, redirect=False)) as pool:
            answer = pool.request(
                request.method or "GET",
                request.get_full_path(),
                body=request.body or None,
                headers=_headers_for(request),
                redirect=False,
                decode_content=False,
                preload_content=False,
            )
            content = answer.read(_MOST_BYTES)
    except HTTPError as error:
        raise FlowerDown from error
    headers = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
    return HttpResponse(content, status=answer.status, headers={**headers, "Content-Security-Policy": POLICY})


def _headers_for(request: HttpRequest) -> dict[str, str]:
    """Return what Flower needs of the request's headers: no cookie, and our password."""
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    secret = make_headers(basic_auth=f"admin:{env.secret('FLOWER_PASSWORD')}")
    return {**headers, **secret, "Host": request.get_host()}
