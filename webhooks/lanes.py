"""Claiming: each host has its lane, in which its deliveries wait, and only a few are sent at a time.

So a receiver that hangs holds few of the senders, and one that is dead is left in peace for a while. Whoever hears a
ring for a delivery claims what is longest due in that delivery's lane: the ring says where there is something to do,
the row what. Nothing that is left behind counts as an attempt.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from pirunner.bulk import unsynced
from pirunner.turns import take_turns
from webhooks.backoff import FREE_FAILURES

SENDING = timedelta(seconds=30)
"""The lease of a sender: when it dies, the delivery is due again after this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A host, how it has behaved lately, and how many deliveries to it are being sent, as far as we know."""

    host: str
    failures: int = 0
    paused_until: datetime | None = None
    in_flight: int = 0

    def slots(self, now: datetime) -> int:
        """Return how many may be sent at a time: none during a pause, one to a host that keeps failing."""
        if self.paused_until is not None and now < self.paused_until:
            return 0
        return 1 if self.failures > FREE_FAILURES else int(settings.CALLBACK_PER_HOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery that is ours to send until its lease runs out.

    ``attempts`` counts all there were, this one included, and so is its number; ``tries`` counts those since the
    delivery was last replayed.
    """

    pk: int
    attempts: int
    tries: int
    job_id: int
    event: str
    event_id: str
    url: str
    host: str
    body: str


def lane_of(delivery_id: int) -> Lane | None:
    """Return the lane of a delivery, None if it is not there or not pending."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_LANE, [now, delivery_id])
        row = cursor.fetchone()
    if row is None:
        return None
    host, failures, paused_until, in_flight = row
    return Lane(host=host, failures=failures or 0, paused_until=_read_moment(paused_until), in_flight=in_flight)


def claim_next(lane: Lane) -> Claim | None:
    """Take what is longest due in a lane; None when nothing is, or when as many are being sent as may."""
    now = timezone.now()
    slots = lane.slots(now)
    if lane.in_flight >= slots:
        return None  # known without the lock that all writers share
    stored = connection.ops.adapt_datetimefield_value
    skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    due = [lane.host, stored(now), lane.host, stored(now), slots]
    with unsynced(), transaction.atomic():
        # Without it two senders on PostgreSQL would not see each other, and take a slot too many.
        take_turns(f"callbacks to {lane.host}")
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM.format(skip=skip), [*due, stored(now + SENDING)])
            row = cursor.fetchone()
    return None if row is None else _claim_of(lane, row)


def next_due(host: str, now: datetime) -> int | None:
    """Return the delivery that is longest due in a lane, None if none is."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_DUE, [host, connection.ops.adapt_datetimefield_value(now)])
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def _claim_of(lane: Lane, row: tuple[int, int, int, int, str, str, str, str]) -> Claim:
    pk, attempts, before_replay, job_id, event, event_id, url, body = row
    return Claim(
        pk=pk,
        attempts=attempts,
        tries=attempts - before_replay,
        job_id=job_id,
        event=event,
        event_id=event_id,
        url=url,
        host=lane.host,
        body=body,
    )


def _read_moment(stored: datetime | None) -> datetime | None:
    """Return a moment that raw SQL read: SQLite keeps them in UTC, without saying so."""
    return stored if stored is None or stored.tzinfo else stored.replace(tzinfo=UTC)


_LANE = """
SELECT delivery.host, failing.failures, failing.paused_until,
       (SELECT COUNT(*) FROM webhooks_delivery AS other
         WHERE other.host = delivery.host AND other.sending AND other.next_attempt_at > %s)
  FROM webhooks_delivery AS delivery LEFT JOIN webhooks_failinghost AS failing ON failing.host = delivery.host
 WHERE delivery.id = %s AND delivery.state = 'pending'
"""

_NEXT_DUE = """
SELECT id FROM webhooks_delivery
 WHERE host = %s AND state = 'pending' AND next_attempt_at <= %s ORDER BY next_attempt_at LIMIT 1
"""

# MATERIALIZED: see jobs.claims. The states are literals so that SQLite uses the partial indexes.
_CLAIM = """
WITH next AS MATERIALIZED (
     SELECT id FROM webhooks_delivery
      WHERE host = %s AND state = 'pending' AND next_attempt_at <= %s
        AND (SELECT COUNT(*) FROM webhooks_delivery
              WHERE host = %s AND sending AND next_attempt_at > %s) < %s
      ORDER BY next_attempt_at LIMIT 1 {skip})
UPDATE webhooks_delivery SET attempts = attempts + 1, sending = TRUE, next_attempt_at = %s
 WHERE state = 'pending' AND id IN (SELECT id FROM next)
RETURNING id, attempts, attempts_before_replay, job_id, event, event_id, url, body
"""
