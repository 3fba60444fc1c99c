"""What all views of the API share: JSON in, JSON out, and one shape for everything that goes wrong."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from pirunner.access import BearerAuthentication
from pirunner.callers import Caller, Scope
from pirunner.errors import (
    ApiError,
    Fault,
    InvalidJson,
    InvalidPayload,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from pirunner.times import parse_moment

log = logging.getLogger(__name__)

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()
_HUGE = re.compile(rb"(?<![0-9])[0-9]{309}")
"""The digits of an integer that may be too large for a double."""


class OnlyJson(BaseContentNegotiation):
    """There is nothing to negotiate: JSON comes in and JSON goes out, whatever ``Accept`` says."""

    def select_parser(self, request: Request, parsers: Any) -> None:
        """Choose none: the views read the body themselves."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[None, str]:
        """Choose none: the views write their answers themselves."""
        del request, renderers, format_suffix
        return None, "application/json"


Scopes = Mapping[str, Scope | tuple[Scope, ...]]
"""Which scope a call needs, by its method; of several one is enough. HEAD needs what GET does."""


class ApiView(APIView):
    """A view that needs a bearer token and answers every error as JSON.

    Each method needs the scope that ``scopes`` declares for it; one that is not declared there needs ``admin``.
    """

    scopes: Scopes = {}

    content_negotiation_class = OnlyJson

    authentication_classes: Sequence[type[BearerAuthentication]] = (BearerAuthentication,)
    permission_classes = ()
    http_method_names: Sequence[str] = ("get", "post", "put", "patch", "delete", "head")

    def check_permissions(self, request: Request) -> None:
        """Raise ``Forbidden`` if the token has not the scope of the call; a view without a token asks for none."""
        method = "GET" if request.method == "HEAD" else str(request.method)
        if not self.authentication_classes or not hasattr(self, method.lower()):
            return  # the latter is answered with 405
        needed = self.scopes.get(method, Scope.ADMIN)
        caller_of(request).require(*(needed if isinstance(needed, tuple) else (needed,)))

    def handle_exception(self, exc: Exception) -> Any:
        """Answer with what went wrong; only a fault of our own is a 500, and it is logged."""
        return error_response(as_api_error(exc, self.request))


def as_api_error(error: Exception, request: Request | HttpRequest) -> ApiError:
    """Return what the client is told of an exception; re-raises what is nobody's fault but ours."""
    match error:
        case ApiError():
            return error
        case Http404() | exceptions.NotFound():
            return NotFound()
        case exceptions.MethodNotAllowed():
            return MethodNotAllowed(f"{request.method} is not possible here.")
        case OperationalError():
            log.warning("The database did not answer: %s", error)
            return Unavailable("The database is busy or away; nothing was changed. Try again.")
    raise error


def caller_of(request: Request) -> Caller:
    """Return who calls, as ``BearerAuthentication`` found out."""
    return cast("Caller", request.user)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """Return a value as a JSON answer."""
    return HttpResponse(_encoded(value), status=status, headers=headers, content_type="application/json")


def _encoded(value: Any) -> bytes:
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:  # a lone surrogate in the result of a handler; JSON can say it, UTF-8 cannot
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def error_response(error: ApiError) -> HttpResponse:
    """Return an error as a JSON answer."""
    return json_response(error.as_dict(), error.status, error.headers)


def read_json(request: Request, *, most_bytes: int | None = None, in_parts: bool = False) -> Any:
    """Return the body as a JSON value; ``most_bytes`` is ``MAX_BODY_BYTES`` unless given.

    Raises ``UnsupportedMediaType``, ``PayloadTooLarge``, or ``InvalidJson`` when it is no JSON, holds text that is no
    Unicode, or is refused by ``check_kept``. With ``in_parts`` the caller checks each part with that, so that one bad
    part does not spoil the others.
    """
    if request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("Send JSON with the header 'Content-Type: application/json'.")
    body = read_body(request, most_bytes=most_bytes)
    try:
        value = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidJson(f"The body is not valid JSON: {error}.") from None
    except RecursionError:
        raise _too_deep() from None
    # Walking the value costs time, so only a body with many brackets or digits is looked at.
    suspect = body.count(b"[") + body.count(b"{") > settings.MAX_JSON_DEPTH or _HUGE.search(body)
    if suspect and not in_parts:
        check_kept(value)
    return value


def check_kept(value: Any) -> None:
    """Raise ``InvalidJson`` for a value that cannot be kept: too deep, or with a number that is no finite double."""
    if depth_of(value) > settings.MAX_JSON_DEPTH:
        raise _too_deep()
    if holds_huge_number(value):
        raise InvalidJson("The body holds a number beyond 1.8e308, which JSON parsers cannot read.")


def read_body(request: Request, *, most_bytes: int | None = None) -> bytes:
    """Return the raw body; raises ``PayloadTooLarge`` beyond ``most_bytes``, before reading it where possible.

    ``most_bytes`` is ``MAX_BODY_BYTES`` unless given.
    """
    most = settings.MAX_BODY_BYTES if most_bytes is None else most_bytes
    too_large = PayloadTooLarge(f"The body is larger than {most} bytes.")
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced.isdigit() and int(announced[:18]) > most:
        raise too_large
    try:
        body = request.body if announced else _read_chunks(request, most)
    except RequestDataTooBig:
        raise too_large from None
    if len(body) > most:
        raise too_large
    return body


def _read_chunks(request: Request, most: int) -> bytes:
    """Return a body that came in chunks, without its length in the header; Django itself would take it for empty."""
    stream = request.META.get("wsgi.input")
    if stream is None or request.META.get("HTTP_TRANSFER_ENCODING", "").lower() != "chunked":
        return bytes(request.body)
    return bytes(stream.read(most + 1))


def depth_of(value: Any) -> int:
    """Return how deep lists and objects are nested in a JSON value; a plain value has depth 0."""
    depth = 0
    level = [value]
    while level:
        level = [item for part in level for item in _items(part)]
        depth += 1
    return depth - 1


def holds_huge_number(value: Any) -> bool:
    """Return whether an integer in a JSON value is too large for a double: no callback could carry it."""
    level = [value]
    while level:
        if any(isinstance(part, int) and part.bit_length() > 1023 and _overflows(part) for part in level):
            return True
        level = [item for part in level for item in _items(part)]
    return False


def whole_number(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    """Return a whole number from the query, at most ``most``; raises ``InvalidPayload`` for what is below ``least``."""
    raw = request.GET.get(name)
    if raw is None:
        return default
    if not (raw.isascii() and raw.isdigit()) or int(raw[:18]) < least:
        raise InvalidPayload([Fault((name,), "invalid_type", f"{name} must be a whole number, {least} or more.")])
    return min(int(raw[:18]), most)


def short_text(request: Request, name: str, *, most: int) -> str | None:
    """Return a text from the query, None if it is not there.

    Raises ``InvalidPayload`` when it is empty, longer than ``most`` characters, or holds NUL, which no row does.
    """
    raw = request.GET.get(name)
    if raw is None or (1 <= len(raw) <= most and "\x00" not in raw):
        return raw
    raise InvalidPayload([Fault((name,), "invalid_text", f"{name} takes 1 to {most} characters, none of them NUL.")])


def choice_of(request: Request, name: str, choices: Mapping[str, T]) -> T | None:
    """Return what a word from the query stands for, None if it is not there; raises ``InvalidPayload`` for others."""
    raw = request.GET.get(name)
    if raw is None:
        return None
    if raw not in choices:
        raise InvalidPayload([Fault((name,), "invalid_enum", f"{name} takes one of: {', '.join(choices)}.")])
    return choices[raw]


def moment_of(request: Request, name: str, *, takes: str) -> datetime | None:
    """Return a moment from the query, None if it is not there, read in the owner's zone without an offset.

    Raises ``InvalidPayload`` for what is none; ``takes`` ends its sentence.
    """
    raw = short_text(request, name, most=64)
    if raw is None:
        return None
    try:
        return parse_moment(raw, ZoneInfo(settings.TIME_ZONE))
    except ValueError:
        raise InvalidPayload([Fault((name,), "invalid_date", f"{name} takes {takes}.")]) from None


def next_link(request: Request, name: str, value: str) -> str:
    """Return the ``Link`` header (RFC 8288) of the page that follows: this one's address with another cursor."""
    query = request.GET.copy()
    query[name] = value
    return f'<{request.path}?{query.urlencode()}>; rel="next"'


def _overflows(number: int) -> bool:
    try:
        float(number)
    except OverflowError:
        return True
    return False


def _items(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return list(part.values()) or [None]
    if isinstance(part, list):
        return part or [None]
    return []


def _too_deep() -> InvalidJson:
    return InvalidJson(f"The body is nested deeper than {settings.MAX_JSON_DEPTH} levels.")
