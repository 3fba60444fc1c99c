"""What the clock does for deliveries: ring for those whose time has come, and give up those whose host is gone."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from pirunner.doorbell import Ring, doorbell
from webhooks.backoff import patience
from webhooks.models import Delivery, FailingHost
from webhooks.recording import death_of
from webhooks.services import DELIVER_TASK, QUEUE, record_events

log = logging.getLogger(__name__)

LANES = 500
"""How many hosts one look takes in; the next look goes on behind them."""
MOST_RINGS = 8
"""For one host in one look."""
UNHEARD = timedelta(seconds=1)
OVERDUE = 100
"""How many are given up at a time."""
FORGOTTEN = timedelta(days=1)
GIVEN_UP = "Its host took nothing for so long that all attempts would be over."


class DueDeliveries:
    """Finds what is due, lane by lane: a thousand callbacks to a dead host stand in nobody's way."""

    def __init__(self) -> None:
        self._begin = ""

    def ring_due(self, now: datetime) -> int:
        """Ring for deliveries that were due a moment ago and have not been taken; return how many.

        Each host gets as many rings as it has slots, however much waits there: whoever answers goes on with the rest.
        A paused host gets none.
        """
        due = now - UNHEARD
        if not Delivery.objects.pending().filter(next_attempt_at__lte=due).exists():
            return 0
        ids = self._next_ids(now, due)
        doorbell.ring(Ring(DELIVER_TASK, delivery_id, QUEUE, again=True) for delivery_id in ids)
        return len(ids)

    def _next_ids(self, now: datetime, due: datetime) -> list[int]:
        stored = connection.ops.adapt_datetimefield_value
        slots = min(settings.CALLBACK_PER_HOST, MOST_RINGS)
        sql = _LANES.format(heads=", ".join(_HEAD.format(place=place) for place in range(slots)))
        with connection.cursor() as cursor:
            cursor.execute(sql, [self._begin, LANES, stored(now), *[stored(due)] * slots])
            rows = cursor.fetchall()
        self._begin = max((host for host, number, *_ in rows if number == LANES), default="")
        ids = [delivery_id for _, _, paused, *heads in rows if not paused for delivery_id in heads]
        return [delivery_id for delivery_id in ids if delivery_id is not None]


ring_due = DueDeliveries().ring_due


def give_up_overdue(now: datetime) -> int:
    """Bury deliveries that were due so long ago that all attempts would be over, had their host not been paused.

    Forgets hosts, too, to which nothing was sent for a day. Returns how many deliveries died.
    """
    FailingHost.objects.filter(paused_until__lt=now - FORGOTTEN).delete()
    limit = now - timedelta(seconds=patience(settings.CALLBACK_ATTEMPTS, base_ms=settings.CALLBACK_RETRY_MS))
    overdue = Delivery.objects.pending().filter(next_attempt_at__lt=limit).order_by("next_attempt_at")
    if not overdue.exists():
        return 0
    with transaction.atomic():
        rows = list(overdue.defer("body").select_for_update(skip_locked=True)[:OVERDUE])
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=Delivery.State.DEAD, sending=False, next_attempt_at=None, last_error=GIVEN_UP
        )
        record_events([death_of(row, error=GIVEN_UP, status=row.last_status, at=now) for row in rows])
    log.warning("%d callbacks are dead: their hosts took nothing for too long.", len(rows))
    return len(rows)


# The recursion jumps from host to host through the index of the lanes: it costs as much as there are hosts, not
# deliveries. It counts them because PostgreSQL knows no LIMIT inside of it; the heads of a lane are columns because
# SQLite knows no LATERAL.
_LANES = """
WITH RECURSIVE lane(host, number) AS (
     SELECT MIN(host), 1 FROM webhooks_delivery WHERE state = 'pending' AND host >= %s
      UNION ALL
     SELECT (SELECT MIN(host) FROM webhooks_delivery WHERE state = 'pending' AND host > lane.host), lane.number + 1
       FROM lane WHERE lane.host IS NOT NULL AND lane.number < %s)
SELECT lane.host, lane.number,
       EXISTS (SELECT 1 FROM webhooks_failinghost WHERE host = lane.host AND paused_until > %s), {heads}
  FROM lane WHERE lane.host IS NOT NULL
"""
_HEAD = """
       (SELECT id FROM webhooks_delivery
         WHERE host = lane.host AND state = 'pending' AND next_attempt_at <= %s
         ORDER BY next_attempt_at LIMIT 1 OFFSET {place})"""
