"""Messages as rows: made from a callback, sent one by one, tried again while a service is away."""

import hashlib
import logging
import random
import re
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from pirunner.bulk import unsynced
from pirunner.doorbell import Ring, doorbell
from webhooks.backoff import delay_before
from webhooks.models import Notice
from webhooks.receiver import VerifiedCallback
from webhooks.relay.messages import message, recipient_of
from webhooks.relay.outcome import Sent
from webhooks.relay.targets import LOG, find, targets_of
from webhooks.services import QUEUE

log = logging.getLogger(__name__)

NOTIFY_TASK = "webhooks.notify"
ATTEMPTS = 8
"""After which a message is dead: with the delays of callbacks, after a day and a half."""
SENDING = timedelta(seconds=60)
"""The lease of a sender: when it dies, the message is due again after this time."""
NOT_CONFIGURED = "This service is no longer configured."

SENDERS = 2
"""How many of a process's threads send messages at the same time."""
AT_ONCE = 100
"""How many messages one of them sends before it lets others in."""

_senders = threading.BoundedSemaphore(SENDERS)
_EVENT_ID = re.compile(r"[!-~]{1,255}")


def take(callback: VerifiedCallback) -> int:
    """Write one message per service for a callback, and ring for them; return how many were not there already.

    Raises what the database raises: the receiver then asks the sender to come again.
    """
    event_id, text = key_of(callback), message(callback.event, callback.payload)
    names = [target.name for target in targets_of(recipient_of(callback.payload))]
    with transaction.atomic():
        known = set(Notice.objects.filter(event_id=event_id).values_list("target", flat=True))
        if known:
            return 0  # also when a service was added since: an event is told once
        rows = [_notice(event_id, name, text) for name in names or [LOG]]
        # Two copies of a callback may be here at the same time: the rows of the second one are left out.
        Notice.objects.bulk_create(rows, ignore_conflicts=True)
    log.info("Callback %s: %s", event_id, " / ".join(text.splitlines()))
    pending = Notice.objects.filter(event_id=event_id, state=Notice.State.PENDING).order_by("pk")
    ring(list(pending.values_list("pk", flat=True)))
    return len(rows)


def key_of(callback: VerifiedCallback) -> str:
    """Return what makes a callback the same as one before: its event id, else a hash of its body."""
    if _EVENT_ID.fullmatch(callback.event_id):
        return callback.event_id
    return f"sha256:{hashlib.sha256(callback.body).hexdigest()}"


def ring(notice_ids: Sequence[int], *, again: bool = False) -> None:
    """Ring for messages that can be sent now; call it after the commit."""
    doorbell.ring(Ring(NOTIFY_TASK, notice_id, QUEUE, again=again) for notice_id in notice_ids)


def answer_ring(notice_id: int) -> int:
    """Send the message, and what else is due; return how many attempts were made.

    Few do so at a time, so that services that hang leave the other threads to the callbacks. Who comes when they are
    busy leaves his message to them, and what they miss to the clock.
    """
    if not _senders.acquire(blocking=False):
        return 0
    try:
        made = 0
        next_id: int | None = notice_id
        while next_id is not None and made < AT_ONCE:
            made += attempt_notice(next_id) != "skipped"
            next_id = _next_due()
        return made
    finally:
        _senders.release()


def attempt_notice(notice_id: int) -> str:
    """Make one attempt at a message that is due; return its state, or ``skipped`` if it is somebody else's."""
    notice = _claim(notice_id)
    return "skipped" if notice is None else _record(notice, _send(notice))


def _notice(event_id: str, target: str, text: str) -> Notice:
    now = timezone.now()
    logged = target == LOG
    return Notice(
        event_id=event_id,
        target=target,
        text=text,
        state=Notice.State.SENT if logged else Notice.State.PENDING,
        next_attempt_at=None if logged else now,
        created_at=now,
        sent_at=now if logged else None,
    )


def _next_due() -> int | None:
    due = Notice.objects.pending().filter(next_attempt_at__lte=timezone.now())
    return due.order_by("next_attempt_at").values_list("pk", flat=True).first()


def _claim(notice_id: int) -> Notice | None:
    now = timezone.now()
    due = Notice.objects.filter(pk=notice_id, state=Notice.State.PENDING, next_attempt_at__lte=now)
    with unsynced(), transaction.atomic():
        claimed = due.update(attempts=F("attempts") + 1, next_attempt_at=now + SENDING)
        return Notice.objects.get(pk=notice_id) if claimed else None


def _send(notice: Notice) -> Sent | None:
    """Return how it went, None when there is nobody to send it to."""
    target = find(notice.target)
    if target is None:
        return None
    try:
        return target.send(notice.text)
    except Exception as error:  # noqa: BLE001  (it counts as an attempt: otherwise it would be tried for ever)
        # Without the error's own words: they may quote an address that holds a token.
        log.error("A message to %s could not be sent: %s", notice.target, type(error).__name__)  # noqa: TRY400
        return Sent(f"It could not be sent: {type(error).__name__}.")


def _record(notice: Notice, sent: Sent | None) -> str:
    now = timezone.now()
    error = NOT_CONFIGURED if sent is None else sent.error
    changes: dict[str, Any] = {
        "state": Notice.State.DEAD,
        "last_error": error,
        "next_attempt_at": None,
        "sent_at": None,
    }
    if not error:
        changes |= {"state": Notice.State.SENT, "sent_at": now}
    elif sent is not None and notice.attempts < ATTEMPTS:
        changes |= {"state": Notice.State.PENDING, "next_attempt_at": now + _delay(notice.attempts, sent)}
    else:
        log.warning("Message %d to %s is dead after %d attempts: %s", notice.pk, notice.target, notice.attempts, error)
    Notice.objects.filter(pk=notice.pk, state=Notice.State.PENDING, attempts=notice.attempts).update(**changes)
    return str(changes["state"])


def _delay(attempts: int, sent: Sent) -> timedelta:
    jitter = random.uniform(-1, 1)  # noqa: S311  (spreads retries, protects nothing)
    return timedelta(seconds=delay_before(attempts + 1, base_ms=0, jitter=jitter, retry_after=sent.retry_after))
