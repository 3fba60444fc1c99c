"""Whose jobs events and deliveries are about: for tokens that see only what is their own.

Neither has an owner of its own; the app of the jobs says which jobs are whose. So a page for such a token is found by
looking at a bounded number of rows, of whomever they are. Those of a job that has been removed are nobody's.
"""

from collections.abc import Sequence

from webhooks.listing import DeliveryFilter, DeliveryPage, deliveries_below
from webhooks.models import Delivery
from webhooks.owners import jobs_of
from webhooks.selectors import EventPage, page_of_events

EVENTS_AT_ONCE = 500
MOST_EVENTS = 10_000
"""How many one look passes over before it gives an empty page, with the cursor moved on."""
MOST_DELIVERIES = 1000


class OwnEvents:
    """Reads the events of a token's own jobs after a number, from where it left off, at most ``limit`` at a time."""

    def __init__(self, owner: str, *, after: int | None, limit: int) -> None:
        self._owner = owner
        self._after = after
        self._limit = limit

    def __call__(self) -> EventPage:
        """Return the next of them; raises ``CursorExpired`` as ``page_of_events`` does."""
        page = EventPage([], 0)
        for _ in range(MOST_EVENTS // EVENTS_AT_ONCE):
            looked = page_of_events(after=self._after, limit=EVENTS_AT_ONCE)
            page = self._own(looked)
            self._after = page.next
            if page.events or len(looked.events) < EVENTS_AT_ONCE:
                break
        return page

    def _own(self, looked: EventPage) -> EventPage:
        own = jobs_of(self._owner, {event.job_id for event in looked.events})
        events = [event for event in looked.events if event.job_id in own]
        if len(events) <= self._limit:
            return EventPage(events, looked.next)
        return EventPage(events[: self._limit], events[self._limit - 1].seq)


def own_deliveries(owner: str, wanted: DeliveryFilter, *, limit: int) -> DeliveryPage:
    """Return those of a token's own jobs among the next ``MOST_DELIVERIES``, at most ``limit``."""
    rows = list(deliveries_below(wanted).defer("body")[: MOST_DELIVERIES + 1])
    looked = rows[:MOST_DELIVERIES]
    own = own_of(owner, looked)
    if len(own) > limit:
        return DeliveryPage(own[:limit], own[limit - 1].pk)
    return DeliveryPage(own, looked[-1].pk if len(rows) > len(looked) else None)


def own_of(owner: str, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Return those of the deliveries that are of a token's own jobs."""
    own = jobs_of(owner, {delivery.job_id for delivery in deliveries})
    return [delivery for delivery in deliveries if delivery.job_id in own]
