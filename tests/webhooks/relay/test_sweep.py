"""What the clock does for messages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pirunner.doorbell import Ring
from webhooks.models import Notice
from webhooks.relay.notices import NOTIFY_TASK
from webhooks.relay.sweep import count_prunable_notices, prune_notices, ring_due

pytestmark = pytest.mark.django_db


def notice(event_id: str, state: str = "pending", *, seconds_ago: float = 5, days_old: float = 0) -> Notice:
    now = timezone.now()
    return Notice.objects.create(
        event_id=event_id,
        target="telegram",
        text="⏰",
        state=state,
        next_attempt_at=now - timedelta(seconds=seconds_ago) if state == "pending" else None,
        created_at=now - timedelta(days=days_old),
    )


def test_it_rings_for_what_is_due_and_was_not_heard(rings: list[Ring]) -> None:
    due = notice("due")
    notice("just now", seconds_ago=0)
    notice("later", seconds_ago=-60)
    notice("sent", "sent")
    notice("dead", "dead")

    assert ring_due(timezone.now()) == 1

    assert [(ring.task, ring.row_id, ring.again) for ring in rings] == [(NOTIFY_TASK, due.pk, True)]


def test_what_is_over_and_old_goes(owner) -> None:
    owner.DELIVERY_RETENTION_DAYS = 30
    notice("old sent", "sent", days_old=31)
    notice("old dead", "dead", days_old=31)
    notice("old pending", days_old=31)
    notice("new", "sent", days_old=29)
    now = timezone.now()

    assert (count_prunable_notices(now), prune_notices(now), prune_notices(now)) == (2, 2, 0)

    assert set(Notice.objects.values_list("event_id", flat=True)) == {"old pending", "new"}
