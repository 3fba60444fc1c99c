"""What the clock does for deliveries."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pirunner.doorbell import Ring
from tests.webhooks.making import NOON, delivery, failing
from webhooks import sweep
from webhooks.models import Delivery, Event, FailingHost
from webhooks.sweep import LANES, UNHEARD, DueDeliveries, give_up_overdue, ring_due

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


# -- what is due --------------------------------------------------------------------------------------------------


def test_a_due_delivery_is_rung_for(rings: list[Ring]) -> None:
    now = timezone.now()
    row = delivery("http://x/", next_attempt_at=now - UNHEARD)

    assert ring_due(now) == 1
    assert rings == [Ring("webhooks.deliver", row.pk, "webhooks", again=True)]


@pytest.mark.parametrize(
    "fields",
    [
        {"next_attempt_at": timedelta(seconds=60)},
        {"next_attempt_at": timedelta(0)},
        {"state": "delivered"},
        {"state": "dead"},
    ],
    ids=["later", "just now: its own ring is on the way", "delivered", "dead"],
)
def test_others_are_not(rings: list[Ring], fields: dict[str, Any]) -> None:
    now = timezone.now()
    delay = fields.pop("next_attempt_at", -UNHEARD)
    delivery("http://x/", next_attempt_at=now + delay, **fields)

    assert ring_due(now) == 0
    assert rings == []


def test_each_host_gets_as_many_rings_as_slots_for_what_is_longest_due(owner: Any, rings: list[Ring]) -> None:
    owner.CALLBACK_PER_HOST = 2
    now = timezone.now()
    rows = {
        (host, overdue): delivery(f"http://{host}/", next_attempt_at=now - SECOND * overdue).pk
        for host in ("dead.example", "live.example")
        for overdue in (2, 5, 3, 4)
    }
    lone = delivery("http://other.example/", next_attempt_at=now - SECOND).pk

    assert ring_due(now) == 5
    assert {ring.row_id for ring in rings} == {
        *(rows["dead.example", overdue] for overdue in (5, 4)),
        *(rows["live.example", overdue] for overdue in (5, 4)),
        lone,
    }


def test_a_paused_host_is_left_in_peace(rings: list[Ring]) -> None:
    now = timezone.now()
    delivery("http://dead.example/", next_attempt_at=now - SECOND)
    live = delivery("http://live.example/", next_attempt_at=now - SECOND)
    failing("dead.example", paused_until=now + SECOND)
    failing("live.example", paused_until=now - SECOND)

    ring_due(now)

    assert [ring.row_id for ring in rings] == [live.pk]


def test_a_look_is_bounded_and_the_next_one_goes_on_behind_it(
    monkeypatch: pytest.MonkeyPatch, rings: list[Ring]
) -> None:
    monkeypatch.setattr(sweep, "LANES", 2)
    now = timezone.now()
    rows = [delivery(f"http://{name}.example/", next_attempt_at=now - SECOND) for name in "abc"]
    failing("b.example", paused_until=now + DAY)
    look = DueDeliveries().ring_due

    heard = []
    for _ in range(4):
        look(now)
        heard.append([ring.row_id for ring in rings])
        rings.clear()

    assert heard == [[rows[0].pk], [rows[2].pk], [rows[2].pk], [rows[0].pk]]


def test_a_look_costs_as_much_as_there_are_hosts(rings: list[Ring]) -> None:
    now = timezone.now()
    many = [delivery_row("http://dead.example/", now - SECOND) for _ in range(2000)]
    Delivery.objects.bulk_create([*many, delivery_row("http://live.example/", now - SECOND)])

    with CaptureQueriesContext(
        connection,
    ) as queries:
        ring_due(now)

    assert len(queries) == 2
    assert len(rings) == 3
    assert LANES < 2000


def delivery_row(url: str, due: Any) -> Delivery:
    return Delivery(event_id="e", job_id=1, event="x", url=url, host=url[7:-1], next_attempt_at=due, created_at=due)


# -- what is given up ---------------------------------------------------------------------------------------------


@pytest.fixture
def patient(owner: Any) -> None:
    """Two attempts five hours and more apart: a delivery may be overdue for as long."""
    owner.CALLBACK_ATTEMPTS = 2
    owner.CALLBACK_RETRY_MS = 5 * 3_600_000


@pytest.mark.usefixtures("patient")
def test_what_is_overdue_for_longer_than_all_attempts_take_is_dead(rings: list[Ring]) -> None:
    row = delivery("http://dead.example/", next_attempt_at=NOON - timedelta(hours=5, seconds=1), last_status=503)
    kept = delivery("http://dead.example/", next_attempt_at=NOON - timedelta(hours=4))

    assert give_up_overdue(NOON) == 1

    row.refresh_from_db()
    kept.refresh_from_db()
    assert (row.state, row.next_attempt_at, kept.state) == ("dead", None, "pending")
    assert "so long" in row.last_error
    event = Event.objects.get()
    assert (event.kind, event.job_id) == ("delivery.dead", 41)
    assert f'"deliveryId":"{row.pk}"' in event.payload
    assert rings == []


@pytest.mark.usefixtures("patient")
def test_giving_up_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "OVERDUE", 2)
    for _ in range(3):
        delivery("http://dead.example/", next_attempt_at=NOON - DAY)

    assert [give_up_overdue(NOON) for _ in range(3)] == [2, 1, 0]


def test_a_host_that_nobody_called_for_a_day_is_forgotten() -> None:
    failing("old.example", paused_until=NOON - DAY - SECOND)
    failing("new.example", paused_until=NOON - SECOND)

    give_up_overdue(NOON)

    assert [row.host for row in FailingHost.objects.all()] == ["new.example"]
