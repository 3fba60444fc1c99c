"""The errors that a client of the API can meet, each with its HTTP status and its code."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a payload: where, what sort, and what to do about it.

    ``path`` leads from the payload's root to the place (keys and list positions), ``code`` is a
    snake_case word for programs, ``message`` a sentence for people.
    """

    path: Path
    code: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fault in the shape of the API's ``details``."""
        return {"path": list(self.path), "code": self.code, "message": self.message}

    def below(self, *prefix: str | int) -> "Fault":
        """Return the same fault as seen from further up in the payload."""
        return Fault((*prefix, *self.path), self.code, self.message)


class ApiError(Exception):
    """A request that cannot be served; the base of all that the API reports."""

    status = 400
    code = "bad_request"

    def __init__(self, message: str = "", *, details: Any = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message or self.code)
        self.details = details if details is not None else (message or None)
        self.headers = headers or {}

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        body: dict[str, Any] = {"error": self.code}
        if self.details is not None:
            body["details"] = self.details
        return body


class InvalidPayload(ApiError):
    """The payload has faults; all of them are listed."""

    code = "invalid_payload"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(details=[fault.as_dict() for fault in faults])
        self.faults = tuple(faults)


class InvalidJson(ApiError):
    """The body is not JSON at all, or JSON that cannot be kept."""

    code = "invalid_json"


class Unauthorized(ApiError):
    """There is no valid bearer token with the request."""

    status = 401
    code = "unauthorized"


class Forbidden(ApiError):
    """The token is valid, but it may not do this."""

    status = 403
    code = "forbidden"


class NotFound(ApiError):
    """There is no such thing (any more)."""

    status = 404
    code = "not_found"


class MethodNotAllowed(ApiError):
    """The address exists, but not with this method."""

    status = 405
    code = "method_not_allowed"


class Conflict(ApiError):
    """The thing is in a state that forbids the request."""

    status = 409
    code = "conflict"


class PayloadTooLarge(ApiError):
    """The body is larger than the API takes."""

    status = 413
    code = "payload_too_large"


class UnsupportedMediaType(ApiError):
    """The body is not declared as JSON."""

    status = 415
    code = "unsupported_media_type"


class RateLimited(ApiError):
    """There were too many requests; the same one may go through after ``retry_after`` seconds."""

    status = 429
    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, headers={"Retry-After": str(max(1, math.ceil(retry_after)))})


class Unavailable(ApiError):
    """Nothing was accepted; the same request may go through later."""

    status = 503
    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})
