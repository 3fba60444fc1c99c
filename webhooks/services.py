"""Writes of events and deliveries, and the check of addresses that clients send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection

from pirunner.bulk import insert_many, insert_with_ids
from pirunner.doorbell import Ring, doorbell
from webhooks.egress import AllowedHosts, NameNotResolved, Policy, check_url
from webhooks.hosts import host_of, short_host_of
from webhooks.models import Delivery, Event, EventHorizon

QUEUE = "webhooks"
DELIVER_TASK = "webhooks.deliver"
EVENT_LOCK = 7_101_877
"""Key of PostgreSQL's advisory lock under which events get their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to record: its text is made already; it is also delivered to each of its callback URLs."""

    job_id: int
    kind: str
    event_id: str
    at: datetime
    text: str
    callback_url: str = ""
    more_urls: tuple[str, ...] = ()


def record_events(events: Sequence[NewEvent]) -> list[int]:
    """Write events and their deliveries; return the ids of the deliveries.

    Call it last in the transaction that changes the jobs: on PostgreSQL it takes a lock that is held to the commit,
    so that a smaller number never becomes visible after a larger one.
    """
    if not events:
        return []  # and no lock, for which others would wait
    deliveries = [_delivery_of(event, event.callback_url) for event in events if event.callback_url]
    deliveries += [_delivery_of(event, url) for event in events for url in event.more_urls]
    insert_with_ids(deliveries)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [EVENT_LOCK])
    insert_many([Event(job_id=event.job_id, kind=event.kind, at=event.at, payload=event.text) for event in events])
    return [delivery.pk for delivery in deliveries]


def ring_deliveries(delivery_ids: Sequence[int]) -> None:
    """Ring for deliveries that can be sent now; call it after the commit.

    Of many to one host only as many are rung for as are sent there at a time: the others follow by themselves.
    """
    few = len(delivery_ids) <= settings.CALLBACK_PER_HOST
    heads = delivery_ids if few else heads_of(delivery_ids)
    doorbell.ring(Ring(DELIVER_TASK, delivery_id, QUEUE) for delivery_id in heads)


def heads_of(delivery_ids: Sequence[int]) -> list[int]:
    """Return as many of the deliveries of each host as are sent there at a time."""
    heads: dict[str, list[int]] = {}
    for pk, host in Delivery.objects.filter(pk__in=delivery_ids).order_by("pk").values_list("pk", "host"):
        lane = heads.setdefault(host, [])
        if len(lane) < settings.CALLBACK_PER_HOST:
            lane.append(pk)
    return [pk for lane in heads.values() for pk in lane]


def note_pruned(up_to: int) -> None:
    """Note that events up to this number are being removed; a smaller number than before changes nothing.

    Call it in the transaction that removes them, so that no reader misses them without being told.
    """
    EventHorizon.objects.get_or_create(pk=EventHorizon.ONLY, defaults={"pruned_to": up_to})
    EventHorizon.objects.filter(pk=EventHorizon.ONLY, pruned_to__lt=up_to).update(pruned_to=up_to)


def check_target(url: str) -> str | None:
    """Check a callback URL that a client sent; return a warning, or None.

    Raises ``webhooks.egress.EgressError`` when callbacks may never go there. A name that does not resolve at present
    is only a warning: it is checked again at every attempt.
    """
    try:
        check_url(url, callback_policy(), timeout=1.0)
    except NameNotResolved as error:
        return f"callbackUrl: {error}"
    return None


def callback_policy() -> Policy:
    """Return the policy for callbacks: public addresses, the owner's list, and the host of ``CALLBACK_URL``."""
    entries = list(settings.CALLBACK_ALLOWED_HOSTS)
    if settings.CALLBACK_URL:
        entries.append(host_of(settings.CALLBACK_URL))
    return Policy.for_callbacks(AllowedHosts.parse(entries))


def _delivery_of(event: NewEvent, url: str) -> Delivery:
    return Delivery(
        event_id=event.event_id,
        job_id=event.job_id,
        event=event.kind,
        url=url,
        host=short_host_of(url),
        body=event.text,
        next_attempt_at=event.at,
        created_at=event.at,
    )
