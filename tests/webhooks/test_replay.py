"""Replaying deliveries, one and many."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pirunner.doorbell import Ring
from tests.webhooks.loopback import OK, Server
from tests.webhooks.making import NOON, answering, attempt, delivery, failing, loopback
from webhooks import replay
from webhooks.listing import DeliveryFilter
from webhooks.models import Delivery, DeliveryAttempt, FailingHost
from webhooks.replay import count_range, replay_deliveries, replay_range

__all__ = ["loopback"]

pytestmark = pytest.mark.usefixtures("committed_db")

HOUR = timedelta(hours=1)
URL = "https://agent.example/hook"
DEAD = DeliveryFilter(state=Delivery.State.DEAD)


def dead(url: str = URL, **fields: Any) -> Delivery:
    return delivery(url, **{"state": "dead", "attempts": 3, "next_attempt_at": None, **fields})


# -- one ----------------------------------------------------------------------------------------------------------


def test_a_dead_letter_is_sent_again_with_its_id_and_all_its_attempts(
    serve: Callable[..., Server], owner: Any, rings: list[Ring]
) -> None:
    owner.CALLBACK_ATTEMPTS = 1
    server = serve(answering(500))
    row = delivery(server.url)
    assert attempt(row) == "dead"
    server.behave = lambda stream: stream.sendall(OK)

    assert replay_deliveries([row.pk]) == 1
    row.refresh_from_db()
    assert (row.state, row.attempts, row.attempts_before_replay) == ("pending", 1, 1)
    assert [ring.row_id for ring in rings] == [row.pk]

    assert attempt(row) == "delivered"
    assert row.attempts == 2
    assert [each.number for each in DeliveryAttempt.objects.order_by("number")] == [1, 2]
    assert [request.count(f"webhook-id: {row.event_id}".encode()) for request in server.requests] == [1, 1]


def test_a_delivered_one_is_sent_again() -> None:
    row = delivery(URL, state="delivered", attempts=1, next_attempt_at=None, delivered_at=timezone.now())

    assert replay_deliveries([row.pk]) == 1

    row.refresh_from_db()
    assert (row.state, row.delivered_at) == ("pending", None)


def test_a_pending_one_is_brought_forward() -> None:
    row = delivery(URL, attempts=4, next_attempt_at=timezone.now() + HOUR)

    assert replay_deliveries([row.pk]) == 1

    row.refresh_from_db()
    assert row.next_attempt_at is not None
    assert row.next_attempt_at <= timezone.now()


def test_what_is_being_sent_just_now_is_left_alone() -> None:
    leased = timezone.now() + timedelta(seconds=20)
    row = delivery(URL, attempts=1, sending=True, next_attempt_at=leased)

    assert replay_deliveries([row.pk]) == 0

    row.refresh_from_db()
    assert (row.sending, row.next_attempt_at) == (True, leased)


def test_the_pause_of_the_host_ends() -> None:
    row = dead()
    failing(row.host, paused_until=timezone.now() + HOUR)
    failing("other.example", paused_until=timezone.now() + HOUR)

    replay_deliveries([row.pk])

    paused = FailingHost.objects.filter(paused_until__gt=timezone.now())
    assert [host.host for host in paused] == ["other.example"]


# -- many ---------------------------------------------------------------------------------------------------------


def test_all_dead_letters_are_replayed_batch_by_batch(
    monkeypatch: pytest.MonkeyPatch, rings: list[Ring], owner: Any
) -> None:
    monkeypatch.setattr(replay, "BATCH", 2)
    owner.CALLBACK_PER_HOST = 1
    rows = [dead() for _ in range(5)]
    kept = delivery(URL, state="delivered", next_attempt_at=None)

    assert count_range(DEAD) == 5
    replayed = replay_range(DEAD)

    assert (replayed.count, replayed.rest) == (5, None)
    assert Delivery.objects.filter(state="pending").count() == 5
    kept.refresh_from_db()
    assert kept.state == "delivered"
    assert len(rings) == 3 < len(rows)


def test_one_call_is_bounded_and_says_where_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "BATCH", 2)
    rows = [delivery(URL, state="delivered", next_attempt_at=None) for _ in range(5)]
    wanted = DeliveryFilter(state=Delivery.State.DELIVERED)

    first = replay_range(wanted, most=3)
    Delivery.objects.update(state="delivered")  # they were sent meanwhile
    assert first.rest is not None
    second = replay_range(first.rest, most=3)

    assert (first.count, first.rest.before) == (3, rows[2].pk)
    assert (second.count, second.rest) == (2, None)


def test_a_range_keeps_to_its_host_and_its_time() -> None:
    rows = [
        dead(created_at=NOON + HOUR),
        dead(created_at=NOON + HOUR, url="https://other.example/"),
        dead(created_at=NOON + 2 * HOUR),
        dead(created_at=NOON + 3 * HOUR),
    ]
    wanted = DeliveryFilter(state=Delivery.State.DEAD, host="agent.example", since=NOON + HOUR, until=NOON + 3 * HOUR)

    assert replay_range(wanted).count == 2

    assert set(Delivery.objects.pending()) == {rows[0], rows[2]}
