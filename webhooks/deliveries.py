"""Callbacks on their way: whoever hears a ring claims, sends and records, and goes on while more is due there."""

import time

from django.utils import timezone

from pirunner.logs import bound
from webhooks.lanes import Lane, claim_next, lane_of, next_due
from webhooks.models import Delivery
from webhooks.recording import record_attempt
from webhooks.sending import send
from webhooks.services import ring_deliveries
from webhooks.signing_secrets import secrets_for

SKIPPED = "skipped"
CHAIN_SECONDS = 1.0
"""How long one ring is answered with delivery after delivery; then other hosts have their turn."""


def answer_ring(delivery_id: int) -> str:
    """Send what is due in the lane of a delivery; return the state of the last one sent, ``skipped`` if none was.

    A ring that finds the lane full is left unanswered: those who send there go on with what is due.
    """
    ends = time.monotonic() + CHAIN_SECONDS
    lane = lane_of(delivery_id)
    outcome = SKIPPED
    while lane is not None:
        state, lane = _attempt(lane)
        if state is None:
            break
        outcome = str(state)
        now = timezone.now()
        onward = next_due(lane.host, now) if lane.slots(now) else None
        if onward is None:
            break
        if time.monotonic() >= ends:
            ring_deliveries([onward])
            break
    return outcome


def attempt_delivery(delivery_id: int) -> str:
    """Make one attempt at what is longest due in the lane of a delivery; return its state, or ``skipped``."""
    lane = lane_of(delivery_id)
    state = None if lane is None else _attempt(lane)[0]
    return SKIPPED if state is None else str(state)


def _attempt(lane: Lane) -> tuple[Delivery.State | None, Lane]:
    claim = claim_next(lane)
    if claim is None:
        return None, lane
    with bound(delivery_id=claim.pk, attempt=claim.attempts, job_id=claim.job_id):
        secrets = secrets_for(claim.url, timezone.now())
        answer = send(event=claim.event, event_id=claim.event_id, url=claim.url, body=claim.body, secrets=secrets)
        return record_attempt(claim, answer, lane)
