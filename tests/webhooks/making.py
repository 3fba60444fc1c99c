"""Events and deliveries for tests, and the way to receivers on loopback."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from webhooks.deliveries import attempt_delivery
from webhooks.hosts import short_host_of
from webhooks.models import Delivery, FailingHost
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
        "host": short_host_of(url),
        "body": '{"text":"⏰"}',
        "next_attempt_at": now,
        "created_at": now,
    }
    return Delivery.objects.create(**{**row, **fields})


def failing(host: str, **fields: Any) -> FailingHost:
    """Write that a host has failed, three times unless told, and is no longer paused."""
    now = timezone.now()
    return FailingHost.objects.create(**{"host": host, "failures": 3, "since": now, "paused_until": now, **fields})


def answering(status: int, *headers: str) -> bytes:
    """Return an answer without a body."""
    return "\r\n".join([f"HTTP/1.1 {status} X", "Content-Length: 0", *headers, "", ""]).encode()


@pytest.fixture(autouse=True)
def loopback(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    owner.CALLBACK_ALLOWED_HOSTS = ("127.0.0.1",)
    owner.CALLBACK_ATTEMPTS = 3
    owner.CALLBACK_RETRY_MS = 1000
    monkeypatch.setattr("webhooks.recording.random.uniform", lambda _a, _b: 0.0)


def attempt(row: Delivery) -> str:
    """Make one attempt, and read the row again."""
    state = attempt_delivery(row.pk)
    row.refresh_from_db()
    return state


def make_due(row: Delivery) -> None:
    Delivery.objects.filter(pk=row.pk).update(next_attempt_at=timezone.now())
