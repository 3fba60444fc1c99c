"""Retention: events and callbacks go when they are too old, a few at a time.

Both are found by their numbers, which grow with time: the oldest are looked at, and no index of the age is needed.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from pirunner.times import days_before
from webhooks.models import Delivery, DeliveryAttempt, Event
from webhooks.services import note_pruned

EVENTS = 2_000
DELIVERIES = 500
"""How many go at a time."""
LOOKS = 1_000
"""Among how many of the oldest deliveries: some may be pending, which always stay."""


def prune_events(now: datetime) -> int:
    """Remove a batch of the events that are no longer kept, and note it for their readers; return how many."""
    oldest = Event.objects.order_by("seq").values_list("seq", "at")[:EVENTS]
    cutoff = days_before(now, settings.EVENT_RETENTION_DAYS)
    up_to = max((seq for seq, at in oldest if at < cutoff), default=0)
    if not up_to:
        return 0
    with transaction.atomic():
        note_pruned(up_to)
        removed, _ = Event.objects.filter(seq__lte=up_to).delete()
    return removed


def prune_deliveries(now: datetime) -> int:
    """Remove a batch of the deliveries that are over and no longer kept; return how many."""
    oldest = Delivery.objects.order_by("pk").values_list("pk", "state", "created_at")[:LOOKS]
    cutoff = days_before(now, settings.DELIVERY_RETENTION_DAYS)
    over = [pk for pk, state, created_at in oldest if state != Delivery.State.PENDING and created_at < cutoff]
    if not over:
        return 0
    with transaction.atomic():
        # One that was replayed meanwhile stays; no other sender can have it, for the rows are locked.
        rows = Delivery.objects.filter(pk__in=over[:DELIVERIES]).exclude(state=Delivery.State.PENDING)
        ids = list(rows.select_for_update().values_list("pk", flat=True))
        DeliveryAttempt.objects.filter(delivery_id__in=ids).delete()
        removed, _ = Delivery.objects.filter(pk__in=ids).delete()
    return removed


def count_prunable_events(now: datetime) -> int:
    """Return how many events are no longer kept; it looks at them all."""
    return Event.objects.filter(at__lt=days_before(now, settings.EVENT_RETENTION_DAYS)).count()


def count_prunable_deliveries(now: datetime) -> int:
    """Return how many deliveries are over and no longer kept; it looks at them all."""
    old = Delivery.objects.filter(created_at__lt=days_before(now, settings.DELIVERY_RETENTION_DAYS))
    return old.exclude(state=Delivery.State.PENDING).count()
