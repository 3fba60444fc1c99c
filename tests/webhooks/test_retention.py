"""Retention of events and callbacks."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from webhooks import retention
from webhooks.models import Delivery, DeliveryAttempt, Event, EventHorizon
from webhooks.retention import (
    count_prunable_deliveries,
    count_prunable_events,
    prune_deliveries,
    prune_events,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture(autouse=True)
def kept(settings: Any) -> None:
    settings.EVENT_RETENTION_DAYS = 30
    settings.DELIVERY_RETENTION_DAYS = 30


def event(days: float) -> Event:
    return Event.objects.create(job_id=1, kind="job.completed", at=NOW - timedelta(days=days), payload="{}")


def delivery(days: float, state: str) -> Delivery:
    at = NOW - timedelta(days=days)
    return Delivery.objects.create(
        event_id="evt_1", job_id=1, event="job.completed", url="u", body="{}", state=state, created_at=at
    )


def test_old_events_go_and_their_readers_are_told():
    _, last_old, young = event(40), event(31), event(29)

    assert count_prunable_events(NOW) == 2
    assert prune_events(NOW) == 2
    assert list(Event.objects.all()) == [young]
    assert EventHorizon.objects.get().pruned_to == last_old.seq


def test_with_nothing_to_do_nothing_is_noted():
    event(1)

    assert prune_events(NOW) == 0
    assert not EventHorizon.objects.exists()


def test_an_event_of_a_clock_that_was_ahead_holds_up_none():
    event(-1000)
    event(31)
    young = event(1)

    prune_events(NOW)

    assert list(Event.objects.all()) == [young]


def test_events_go_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "EVENTS", 2)
    for _ in range(5):
        event(40)

    assert [prune_events(NOW) for _ in range(4)] == [2, 2, 1, 0]


def test_old_deliveries_go_once_they_are_over():
    pending, young = delivery(400, "pending"), delivery(29, "dead")
    delivery(31, "delivered")
    delivery(31, "dead")

    assert count_prunable_deliveries(NOW) == 2
    assert prune_deliveries(NOW) == 2
    assert set(Delivery.objects.all()) == {pending, young}
    assert prune_deliveries(NOW) == 0


def test_deliveries_go_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "DELIVERIES", 2)
    for _ in range(5):
        delivery(40, "delivered")

    assert [prune_deliveries(NOW) for _ in range(4)] == [2, 2, 1, 0]


def test_attempts_go_with_their_delivery_and_not_before():
    old, young = delivery(40, "delivered"), delivery(1, "delivered")
    for row in (old, young):
        DeliveryAttempt.objects.create(delivery=row, number=1, at=NOW, ms=1)

    assert prune_deliveries(NOW) == 1

    assert [attempt.delivery_id for attempt in DeliveryAttempt.objects.all()] == [young.pk]
