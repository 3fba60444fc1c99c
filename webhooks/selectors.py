"""Reads of events."""

from dataclasses import dataclass

from django.db.models import Max

from pirunner.errors import ApiError
from webhooks.models import Event, EventHorizon


class CursorExpired(ApiError):
    """Events after this cursor have been removed; go on from the oldest that is kept."""

    status = 410
    code = "cursor_expired"


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order, and the cursor after which the next page begins."""

    events: list[Event]
    next: int


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
