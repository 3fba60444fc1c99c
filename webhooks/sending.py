"""Sending: sign a body for this attempt, post it through the checked client, and say how it went."""

import logging
import time
from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from webhooks.answers import BAD_STATUS, GONE, INTERNAL, Answer, is_success
from webhooks.backoff import parse_retry_after
from webhooks.egress import CheckedClient, EgressError, Response
from webhooks.services import callback_policy
from webhooks.signing import sign_headers

log = logging.getLogger(__name__)


def send(*, event: str, event_id: str, url: str, body: str, secrets: Sequence[str]) -> Answer:
    """Post a body to a URL, signed now; whatever goes wrong is in the answer. It needs no database."""
    at, began = timezone.now(), time.monotonic()
    try:
        headers = sign_headers(
            event=event, event_id=event_id, body=body.encode(), timestamp=int(at.timestamp()), secrets=secrets
        )
        response = CheckedClient(callback_policy()).post(
            url, body.encode(), {**headers, "Content-Type": "application/json"}
        )
    except EgressError as error:
        return Answer(at=at, ms=_ms_since(began), error=error.code, detail=str(error), permanent=error.permanent)
    except Exception as error:
        # Whatever it is, it counts as an attempt: otherwise the delivery would be tried for ever.
        log.exception("Callback %s could not be sent.", event_id)
        detail = f"It could not be sent: {type(error).__name__}: {error}"[:500]
        return Answer(at=at, ms=_ms_since(began), error=INTERNAL, detail=detail)
    return _read(response, at=at, ms=_ms_since(began))


def _read(response: Response, *, at: datetime, ms: int) -> Answer:
    status, taken = response.status, is_success(response.status)
    return Answer(
        at=at,
        ms=ms,
        status=status,
        error="" if taken else BAD_STATUS,
        detail="" if taken else f"The receiver answered {status}.",
        # PostgreSQL keeps no NUL in a text.
        body=response.body.decode("utf-8", "replace").replace("\x00", "\ufffd"),
        permanent=status == GONE,
        retry_after=parse_retry_after(response.headers.get("Retry-After"), now=at),
    )


def _ms_since(began: float) -> int:
    return round(1000 * (time.monotonic() - began))
