"""What the calls about deliveries take, in their query or their body."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from rest_framework.request import Request

from pirunner.api import short_text, whole_number
from pirunner.errors import Fault, InvalidPayload
from pirunner.times import parse_moment
from webhooks.hosts import short_host_of
from webhooks.listing import LARGEST_ID, DeliveryFilter
from webhooks.models import Delivery

PAGE = 50
LARGEST_PAGE = 200
MOST_TEXT = 300
T = TypeVar("T")


def page_asked_for(request: Request) -> tuple[DeliveryFilter, int]:
    """Return which deliveries the client asks for, and how many; raises ``InvalidPayload``."""
    fields = {name: short_text(request, name, most=MOST_TEXT) for name in ("state", "jobId", "host")}
    wanted = DeliveryFilter(
        before=whole_number(request, "before", default=LARGEST_ID, least=1, most=LARGEST_ID),
        state=_each(fields, "state", read_state),
        job_id=_each(fields, "jobId", read_id),
        host=_each(fields, "host", read_host),
    )
    return wanted, whole_number(request, "limit", default=PAGE, least=1, most=LARGEST_PAGE)


def range_of(body: Any) -> DeliveryFilter:
    """Return which deliveries the body of a replay names; raises ``InvalidPayload`` with all its faults.

    ``state`` must be there, and fields that are not known are refused: a slip shall not replay everything.
    """
    if not isinstance(body, dict):
        raise InvalidPayload([Fault((), "invalid_type", "Send an object.")])
    faults = [
        Fault((str(name),), "unknown_field", f"There is no field {str(name)[:100]!r} here.")
        for name in body
        if name not in _RANGE
    ]
    if "state" not in body:
        faults.append(Fault(("state",), "required", '"state" is missing: send dead, delivered or pending.'))
    read: dict[str, Any] = {}
    for name, (field, reader) in _RANGE.items():
        try:
            read[field] = None if body.get(name) is None else reader(body[name])
        except ValueError as error:
            faults.append(Fault((name,), "invalid_value", str(error)))
    if faults:
        raise InvalidPayload(faults)
    return DeliveryFilter(**{**read, "before": read["before"] or LARGEST_ID})


def read_state(value: Any) -> Delivery.State:
    """Return a state; raises ``ValueError`` with a sentence."""
    try:
        return Delivery.State(value)
    except ValueError:
        raise ValueError("state takes one of: pending, delivered, dead.") from None


def read_host(value: Any) -> str:
    """Return a host as deliveries name it, however it is written; raises ``ValueError`` with a sentence."""
    text = value if isinstance(value, str) and "/" not in value else ""
    # Without a scheme nobody knows which port is the usual one; the two that are may both be left out.
    host = short_host_of(f"https://{text}/").removesuffix(":80")
    if not text or not host:
        raise ValueError("host takes a host like agent.example or 192.168.1.20:9999.")
    return host


def read_since(value: Any) -> datetime:
    """Return a moment; raises ``ValueError`` with a sentence."""
    try:
        return parse_moment(value if isinstance(value, str) and len(value) <= 64 else "", ZoneInfo(settings.TIME_ZONE))
    except ValueError:
        raise ValueError("A moment is written like 2030-03-10T13:30:00+05:30.") from None


def read_id(value: Any) -> int:
    """Return an id; raises ``ValueError`` with a sentence."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    raise ValueError("An id is a text of digits.")


_RANGE: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "state": ("state", read_state),
    "since": ("since", read_since),
    "until": ("until", read_since),
    "host": ("host", read_host),
    "before": ("before", read_id),
}


def _each(fields: Mapping[str, str | None], name: str, read: Callable[[Any], T]) -> T | None:
    value = fields[name]
    try:
        return None if value is None else read(value)
    except ValueError as error:
        raise InvalidPayload([Fault((name,), "invalid_value", str(error))]) from None
