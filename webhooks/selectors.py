"""Reads of events, and the figures of deliveries."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from pirunner.errors import ApiError
from webhooks.models import Delivery, DeliveryAttempt, Event, EventHorizon, FailingHost, Notice


class CursorExpired(ApiError):
    """Events after this cursor have been removed; go on from the oldest that is kept."""

    status = 410
    code = "cursor_expired"


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order, and the cursor after which the next page begins."""

    events: list[Event]
    next: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFigures:
    """How the callbacks do: how many are pending and dead, how many hosts fail, and how old the oldest due one is."""

    pending: int
    dead: int
    failing_hosts: int
    oldest_due_seconds: float | None


def delivery_figures(now: datetime) -> DeliveryFigures:
    """Return the figures of the deliveries, each from an index that holds no delivered ones."""
    due = Delivery.objects.pending().filter(next_attempt_at__lte=now).order_by("next_attempt_at")
    oldest = due.values_list("next_attempt_at", flat=True).first()
    return DeliveryFigures(
        pending=Delivery.objects.pending().count(),
        dead=Delivery.objects.dead().count(),
        failing_hosts=FailingHost.objects.count(),
        oldest_due_seconds=None if oldest is None else (now - oldest).total_seconds(),
    )


def latest_dead(limit: int) -> list[Delivery]:
    """Return the newest dead letters, at most ``limit``, without their bodies."""
    return list(Delivery.objects.dead().defer("body").order_by("-pk")[:limit])


def failing_hosts(limit: int) -> list[FailingHost]:
    """Return the hosts that take no callbacks, the one that fails longest first, at most ``limit``."""
    return list(FailingHost.objects.order_by("since")[:limit])


def newest_attempt() -> int:
    """Return the number of the newest attempt at a callback: so many were noted, whatever is kept of them."""
    return DeliveryAttempt.objects.aggregate(newest=Max("pk"))["newest"] or 0


def count_pending_notices() -> int:
    """Return how many messages of the relay are still to be sent."""
    return Notice.objects.pending().count()


def page_of_events(*, after: int | None, limit: int) -> EventPage:
    """Return the events after a number, at most ``limit``; ``after`` None begins with the oldest kept.

    Raises ``CursorExpired`` when events after the number may have been removed.
    """
    events = list(Event.objects.filter(seq__gt=after or 0).order_by("seq")[:limit])
    # Read after the page: whatever was removed before the page was read is noted by now.
    horizon = _horizon()
    if after is None:
        after = horizon
    elif after < horizon:
        oldest = Event.objects.filter(seq__gt=horizon).order_by("seq").values_list("seq", flat=True).first()
        raise CursorExpired(
            details={
                "message": f"Events up to {horizon} are no longer kept; go on with after={horizon}.",
                "oldest": horizon + 1 if oldest is None else oldest,
                "next": horizon,
            }
        )
    return EventPage(events, events[-1].seq if events else after)


def events_of_job(job_id: int, *, after: int, limit: int) -> list[Event]:
    """Return a job's events after a number, in order, at most ``limit``."""
    return list(Event.objects.filter(job_id=job_id, seq__gt=after).order_by("seq")[:limit])


def latest_event(kind: str, *, job_id: int, of_last: int) -> Event | None:
    """Return the newest event of a kind among the last so many of a job (0: of none), or None."""
    newest = Event.objects.filter(job_id=job_id).order_by("-seq").values_list("seq", flat=True)[:of_last]
    return Event.objects.filter(pk__in=list(newest), kind=kind).order_by("-seq").first()


def newest_event_of_job(job_id: int) -> int:
    """Return the number of a job's newest event, 0 if it has none."""
    return Event.objects.filter(job_id=job_id).aggregate(newest=Max("seq"))["newest"] or 0


def _horizon() -> int:
    return EventHorizon.objects.filter(pk=EventHorizon.ONLY).values_list("pruned_to", flat=True).first() or 0
