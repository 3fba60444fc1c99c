"""What the clock does for messages: ring for those whose time has come, remove the old ones."""

from datetime import datetime, timedelta

from django.conf import settings

from pirunner.times import days_before
from webhooks.models import Notice
from webhooks.relay.notices import ring

BATCH = 100
UNHEARD = timedelta(seconds=1)
PRUNED = 500
"""How many go at a time."""
LOOKS = 1_000
"""Among how many of the oldest."""


def ring_due(now: datetime) -> int:
    """Ring for messages that were due a moment ago and have not been taken; return how many."""
    due = Notice.objects.pending().filter(next_attempt_at__lte=now - UNHEARD).order_by("next_attempt_at")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    ring(ids, again=True)
    return len(ids)


def prune_notices(now: datetime) -> int:
    """Remove a batch of the messages that are over and no longer kept (as callbacks are); return how many."""
    oldest = Notice.objects.order_by("pk").values_list("pk", "state", "created_at")[:LOOKS]
    cutoff = days_before(now, settings.DELIVERY_RETENTION_DAYS)
    over = [pk for pk, state, created_at in oldest if state != Notice.State.PENDING and created_at < cutoff]
    if not over:
        return 0
    removed, _ = Notice.objects.filter(pk__in=over[:PRUNED]).exclude(state=Notice.State.PENDING).delete()
    return removed


def count_prunable_notices(now: datetime) -> int:
    """Return how many messages are over and no longer kept; it looks at them all."""
    old = Notice.objects.filter(created_at__lt=days_before(now, settings.DELIVERY_RETENTION_DAYS))
    return old.exclude(state=Notice.State.PENDING).count()
