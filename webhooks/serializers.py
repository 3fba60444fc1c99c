"""Events and deliveries on the wire."""

from collections.abc import Sequence
from typing import Any

import msgspec

from pirunner.times import iso
from webhooks.answers import SENDER_LOST
from webhooks.models import Delivery, DeliveryAttempt, Event
from webhooks.selectors import DeliveryFigures
from webhooks.trial import Trial


def read_event(event: Event) -> dict[str, Any]:
    """Return an event as the feed shows it; what concerns no job has no ``jobId``."""
    return {
        "seq": event.seq,
        "event": event.kind,
        "at": iso(event.at),
        "jobId": str(event.job_id) if event.job_id else None,
        "payload": msgspec.Raw(event.payload.encode()),
    }


def read_delivery(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as lists show it."""
    return {
        "id": str(delivery.pk),
        "jobId": str(delivery.job_id) if delivery.job_id else None,
        "event": delivery.event,
        "eventId": delivery.event_id,
        "url": delivery.url,
        "host": delivery.host,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "nextAttemptAt": iso(delivery.next_attempt_at),
        "lastStatus": delivery.last_status,
        "lastError": delivery.last_error or None,
        "createdAt": iso(delivery.created_at),
        "deliveredAt": iso(delivery.delivered_at),
    }


def read_delivery_whole(delivery: Delivery, attempts: Sequence[DeliveryAttempt]) -> dict[str, Any]:
    """Return one delivery with its body, exactly as it is sent, and all its attempts.

    An attempt without a record is one whose sender ended before it could note how it went; the receiver may have
    taken it. The one that is under way is left out.
    """
    noted = {attempt.number: attempt for attempt in attempts}
    over = delivery.attempts - delivery.sending
    numbers = sorted({*range(1, over + 1), *noted})
    log = [_read_attempt(noted[number]) if number in noted else _lost_attempt(number) for number in numbers]
    return {**read_delivery(delivery), "body": delivery.body, "attemptLog": log}


def read_trial(trial: Trial) -> dict[str, Any]:
    """Return what a receiver said to a test."""
    answer = trial.answer
    return {
        "delivered": answer.delivered,
        "eventId": trial.event_id,
        "ms": answer.ms,
        "status": answer.status,
        "error": answer.error or None,
        "detail": answer.detail or None,
        "body": answer.body,
    }


def _read_attempt(attempt: DeliveryAttempt) -> dict[str, Any]:
    return {
        "n": attempt.number,
        "at": iso(attempt.at),
        "ms": attempt.ms,
        "status": attempt.status,
        "error": attempt.error or None,
        "detail": attempt.detail or None,
        "body": attempt.body,
    }


def _lost_attempt(number: int) -> dict[str, Any]:
    detail = "The sender ended before it could note how it went."
    return {"n": number, "at": None, "ms": None, "status": None, "error": SENDER_LOST, "detail": detail, "body": ""}


def read_figures(figures: DeliveryFigures) -> dict[str, Any]:
    """Return how the callbacks do, as ``GET /queues/stats`` tells it."""
    return {
        "pending": figures.pending,
        "dead": figures.dead,
        "failingHosts": figures.failing_hosts,
        "oldestDueSeconds": figures.oldest_due_seconds,
    }
