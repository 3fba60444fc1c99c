"""Events and deliveries for tests."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.utils import timezone

from webhooks.models import Delivery
from webhooks.services import NewEvent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_numbers = count(1)


def new_event(**fields: Any) -> NewEvent:
    """Return an event of job 41 with an id of its own."""
    usual = {
        "job_id": 41,
        "kind": "job.completed",
        "event_id": f"evt_{next(_numbers)}",
        "at": timezone.now(),
        "text": '{"a":1}',
    }
    return NewEvent(**{**usual, **fields})


def delivery(url: str, **fields: Any) -> Delivery:
    """Write a delivery that is due now."""
    now = timezone.now()
    row = {
        "event_id": f"evt_{next(_numbers)}",
        "job_id": 41,
        "event": "job.completed",
        "url": url,
        "body": '{"text":"⏰"}',
        "next_attempt_at": now,
        "created_at": now,
    }
    return Delivery.objects.create(**{**row, **fields})
