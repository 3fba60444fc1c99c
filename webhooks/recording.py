"""Recording: what an attempt makes of the delivery, of its host, and of the feed, in one transaction."""

import logging
import random
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from pirunner.bulk import insert_many
from webhooks.answers import GONE, Answer, state_after
from webhooks.backoff import delay_before, pause_after
from webhooks.ecmascript_json import dumps
from webhooks.lanes import Claim, Lane
from webhooks.models import Delivery, DeliveryAttempt, FailingHost
from webhooks.services import NewEvent, record_events

log = logging.getLogger(__name__)

DIED = "delivery.dead"
"""The event that alerts of a dead letter."""
OTHERS = 100
OTHER_GONE = "The receiver answered 410 to another callback."


def record_attempt(claim: Claim, answer: Answer, lane: Lane) -> tuple[Delivery.State, Lane]:
    """Record how an attempt went; return where the delivery stands, and its lane as it is now.

    A sender that was overtaken, because its lease ran out, leaves the delivery alone, and only its attempt is noted.
    """
    now = timezone.now()
    state = state_after(answer, tries=claim.tries, allowed=settings.CALLBACK_ATTEMPTS)
    with transaction.atomic():
        held = _move(claim, answer, state, now)
        insert_many([_attempt_of(claim, answer)], on_conflict="ON CONFLICT DO NOTHING")
        lane = _note_host(lane, answer, now)
        if held and state == Delivery.State.DEAD:
            deaths = [death_of(claim, error=answer.detail, status=answer.status, at=now)]
            others = _end_others(claim) if answer.status == GONE else []
            # Last in the transaction, see there.
            record_events(deaths + [death_of(row, error=OTHER_GONE, status=row.last_status, at=now) for row in others])
    if held and state == Delivery.State.DEAD:
        log.warning("Callback %s is dead after %d attempts: %s", claim.event_id, claim.tries, answer.detail)
    return state, lane


def _move(claim: Claim, answer: Answer, state: Delivery.State, now: datetime) -> bool:
    """Move the delivery on, unless somebody else holds it by now."""
    held = Delivery.objects.filter(pk=claim.pk, attempts=claim.attempts, sending=True)
    return bool(
        held.update(
            state=state,
            sending=False,
            last_status=answer.status,
            last_error=answer.detail,
            next_attempt_at=now + _delay(claim.tries, answer) if state == Delivery.State.PENDING else None,
            delivered_at=now if state == Delivery.State.DELIVERED else None,
        )
    )


def _end_others(claim: Claim) -> list[Delivery]:
    """Bury what else waits for an address that is gone, a bounded number; return them.

    Standard Webhooks: 410 means that nothing more is to be sent there.
    """
    waiting = (
        Delivery.objects.pending().filter(host=claim.host, url=claim.url, sending=False).order_by("next_attempt_at")
    )
    rows = list(waiting.defer("body").select_for_update(skip_locked=True)[:OTHERS])
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=Delivery.State.DEAD, next_attempt_at=None, last_error=OTHER_GONE
    )
    return rows


def _delay(tries: int, answer: Answer) -> timedelta:
    seconds = delay_before(
        tries + 1,
        base_ms=settings.CALLBACK_RETRY_MS,
        jitter=random.uniform(-1, 1),  # noqa: S311  (spreads retries, protects nothing)
        retry_after=answer.retry_after,
    )
    return timedelta(seconds=seconds)


def _attempt_of(claim: Claim, answer: Answer) -> DeliveryAttempt:
    return DeliveryAttempt(
        delivery_id=claim.pk,
        number=claim.attempts,
        at=answer.at,
        ms=answer.ms,
        status=answer.status,
        error=answer.error,
        detail=answer.detail,
        body=answer.body,
    )


def _note_host(lane: Lane, answer: Answer, now: datetime) -> Lane:
    """Count a failure of the host, or forget its failures when it has answered; return the lane as it is now."""
    free = replace(lane, in_flight=0)
    if not answer.blames_host:
        if lane.failures and answer.status is not None:
            FailingHost.objects.filter(host=lane.host).delete()
            return replace(free, failures=0, paused_until=None)
        return free
    FailingHost.objects.get_or_create(host=lane.host, defaults={"since": now, "paused_until": now})
    row = FailingHost.objects.filter(host=lane.host)
    row.update(failures=F("failures") + 1)
    failures = row.values_list("failures", flat=True)[0]
    pause = pause_after(
        failures,
        slow_down=answer.slow_down,
        retry_after=answer.retry_after,
        base_ms=settings.CALLBACK_RETRY_MS,
    )
    paused_until = now + timedelta(seconds=pause)
    row.filter(paused_until__lt=paused_until).update(paused_until=paused_until)
    return replace(free, failures=failures, paused_until=paused_until)


def death_of(delivery: Claim | Delivery, *, error: str, status: int | None, at: datetime) -> NewEvent:
    """Return the event that alerts of a dead letter; it is told in the feed only, for callbacks are what failed."""
    told = {
        "deliveryId": str(delivery.pk),
        "jobId": str(delivery.job_id),
        "event": delivery.event,
        "eventId": delivery.event_id,
        "host": delivery.host,
        "attempts": delivery.attempts,
        "lastStatus": status,
        "lastError": error or None,
    }
    return NewEvent(job_id=delivery.job_id, kind=DIED, event_id=f"{delivery.event_id}_dead", at=at, text=dumps(told))
