"""Sending callbacks: claim a delivery, sign it, send it, record how it went."""

import logging
import random
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from pirunner.bulk import unsynced
from webhooks.backoff import delay_before, parse_retry_after
from webhooks.egress import CheckedClient, EgressError
from webhooks.models import Delivery
from webhooks.services import callback_policy
from webhooks.signing import sign_headers

log = logging.getLogger(__name__)

SENDING = timedelta(seconds=60)
"""The lease of a sender: when it dies, the delivery is due again after this time."""
GONE = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt went: the receiver's status, or the error that kept it from answering."""

    status: int | None
    error: str
    permanent: bool = False
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it (Standard Webhooks: any 2xx)."""
        return self.status is not None and 200 <= self.status < 300


def attempt_delivery(delivery_id: int) -> str:
    """Make one attempt at a delivery that is due; return its state, or ``skipped`` if it is somebody else's."""
    delivery = _claim(delivery_id)
    return "skipped" if delivery is None else _record(delivery, _answer(delivery))


def _claim(delivery_id: int) -> Delivery | None:
    now = timezone.now()
    due = Delivery.objects.filter(pk=delivery_id, state=Delivery.State.PENDING, next_attempt_at__lte=now)
    with unsynced(), transaction.atomic():
        claimed = due.update(attempts=F("attempts") + 1, next_attempt_at=now + SENDING)
        return Delivery.objects.get(pk=delivery_id) if claimed else None


def _answer(delivery: Delivery) -> Answer:
    try:
        return _send(delivery)
    except Exception as error:
        # Whatever it is, it counts as an attempt: otherwise the delivery would be tried for ever.
        log.exception("Callback %s could not be sent.", delivery.event_id)
        return Answer(None, f"It could not be sent: {type(error).__name__}: {error}"[:500])


def _send(delivery: Delivery) -> Answer:
    body = delivery.body.encode()
    headers = sign_headers(
        event=delivery.event,
        event_id=delivery.event_id,
        body=body,
        timestamp=int(timezone.now().timestamp()),
        secrets=[settings.WEBHOOK_SECRET],
    )
    try:
        response = CheckedClient(callback_policy()).post(
            delivery.url, body=body, headers={**headers, "Content-Type": "application/json"}
        )
    except EgressError as error:
        return Answer(None, str(error), permanent=error.permanent)
    retry_after = parse_retry_after(response.headers.get("Retry-After"), now=timezone.now())
    refused = "" if 200 <= response.status < 300 else f"The receiver answered {response.status}."
    return Answer(response.status, refused, permanent=response.status == GONE, retry_after=retry_after)


def _record(delivery: Delivery, answer: Answer) -> str:
    now = timezone.now()
    delivery.last_status = answer.status
    delivery.last_error = answer.error
    delivery.next_attempt_at = None
    if answer.delivered:
        delivery.state = Delivery.State.DELIVERED
        delivery.delivered_at = now
    elif answer.permanent or delivery.attempts >= settings.CALLBACK_ATTEMPTS:
        delivery.state = Delivery.State.DEAD
        log.warning("Callback %s is dead after %d attempts: %s", delivery.event_id, delivery.attempts, answer.error)
    else:
        delivery.next_attempt_at = now + _delay(delivery.attempts, answer)
    Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts).update(
        state=delivery.state,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        next_attempt_at=delivery.next_attempt_at,
        delivered_at=delivery.delivered_at,
    )
    return str(delivery.state)


def _delay(attempts: int, answer: Answer) -> timedelta:
    seconds = delay_before(
        attempts + 1,
        base_ms=settings.CALLBACK_RETRY_MS,
        jitter=random.uniform(-1, 1),  # noqa: S311  (spreads retries, protects nothing)
        retry_after=answer.retry_after,
    )
    return timedelta(seconds=seconds)
