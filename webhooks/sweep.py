"""What the clock does for deliveries: ring for those whose time has come."""

from datetime import datetime, timedelta

from pirunner.doorbell import Ring, doorbell
from webhooks.models import Delivery
from webhooks.services import DELIVER_TASK, QUEUE

BATCH = 100
UNHEARD = timedelta(seconds=1)


def ring_due(now: datetime) -> int:
    """Ring for deliveries that were due a moment ago and have not been taken; return how many."""
    due = Delivery.objects.pending().filter(next_attempt_at__lte=now - UNHEARD).order_by("next_attempt_at")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    doorbell.ring(Ring(DELIVER_TASK, delivery_id, QUEUE, again=True) for delivery_id in ids)
    return len(ids)
