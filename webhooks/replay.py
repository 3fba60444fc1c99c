"""Replaying: deliveries are made pending again, to be sent at once with their old id and a fresh signature.

A replay gives a delivery all its attempts anew. What is pending already is only brought forward, so a client that
repeats its call after a broken connection does no harm.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from webhooks.listing import DeliveryFilter, batch_in_time
from webhooks.models import Delivery, FailingHost
from webhooks.services import ring_deliveries

BATCH = 500
"""How many are replayed in one transaction: nobody waits long for the database meanwhile."""
MOST = 10_000
"""How many one call looks at; the answer says where to go on."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many were replayed, and what is left to look at, None at the end."""

    count: int
    rest: DeliveryFilter | None


def replay_deliveries(delivery_ids: Sequence[int]) -> int:
    """Make deliveries pending from now on; return how many were not being sent just now.

    Their hosts' pauses end: whoever replays knows that the receiver is back.
    """
    now = timezone.now()
    with transaction.atomic():
        rows = Delivery.objects.filter(pk__in=delivery_ids).exclude(Q(sending=True) & Q(next_attempt_at__gt=now))
        hosts = set(rows.values_list("host", flat=True))
        count = rows.update(
            state=Delivery.State.PENDING,
            sending=False,
            attempts_before_replay=F("attempts"),
            next_attempt_at=now,
            delivered_at=None,
        )
        FailingHost.objects.filter(host__in=hosts, paused_until__gt=now).update(paused_until=now)
    ring_deliveries(delivery_ids)
    return count


def replay_range(
    wanted: DeliveryFilter, *, most: int | None = None, choose: Callable[[list[Delivery]], list[Delivery]] | None = None
) -> Replayed:
    """Replay the deliveries of a filter, newest first, batch by batch, until so many (``MOST``) were looked at.

    ``choose`` leaves out those that are not to be replayed.
    """
    count, looked, most = 0, 0, MOST if most is None else most
    rest: DeliveryFilter | None = wanted
    while rest is not None and looked < most:
        looks = min(BATCH, most - looked)
        fitting, rest = batch_in_time(rest, looks=looks)
        looked += looks
        fitting = choose(fitting) if choose else fitting
        count += replay_deliveries([row.pk for row in fitting]) if fitting else 0
    return Replayed(count, rest)


def count_range(wanted: DeliveryFilter) -> int:
    """Return how many a replay of the filter would take; it looks at them all."""
    count = 0
    rest: DeliveryFilter | None = wanted
    while rest is not None:
        fitting, rest = batch_in_time(rest, looks=BATCH)
        count += len(fitting)
    return count
