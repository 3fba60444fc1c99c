"""Reads of events, and the figures of deliveries."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from pirunner.errors import ApiError
from webhooks.models import Delivery, Event, EventHorizon, FailingHost


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


def newest_event_of_job(job_id: int) -> int:
    """Return the number of a job's newest event, 0 if it has none."""
    return Event.objects.filter(job_id=job_id).aggregate(newest=Max("seq"))["newest"] or 0


def _horizon() -> int:
    return EventHorizon.objects.filter(pk=EventHorizon.ONLY).values_list("pruned_to", flat=True).first() or 0
