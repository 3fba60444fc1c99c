"""What the clock does for deliveries."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pirunner.doorbell import Ring
from tests.webhooks.making import delivery
from webhooks import sweep
from webhooks.sweep import UNHEARD, ring_due

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


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


def test_a_round_is_bounded_and_begins_with_the_longest_overdue(
    monkeypatch: pytest.MonkeyPatch, rings: list[Ring]
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    now = timezone.now()
    rows = [delivery("http://x/", next_attempt_at=now - SECOND * overdue) for overdue in (2, 4, 3)]

    assert ring_due(now) == 2
    assert [ring.row_id for ring in rings] == [rows[1].pk, rows[2].pk]
