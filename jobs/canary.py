"""The canary: a no-op that goes the way of every job, to see that workers not only live but listen.

When nothing ran for half an hour, or something has been waiting for a minute while nothing runs, the clock asks:
it notes the time in one reserved row and rings through the real queue. A worker that hears it notes the answer. The
row is in no list, no count, no event and no callback.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from jobs.models import Canary, Job
from pirunner import lifesign
from pirunner.doorbell import Ring, doorbell

log = logging.getLogger(__name__)

TASK = "pirunner.canary"
QUEUE = "jobs"
IDLE = timedelta(minutes=30)
UNHEARD = timedelta(seconds=60)
"""How long an answer may take, and how long a job may wait while nothing runs."""
AGAIN = timedelta(seconds=15)
"""How often an unanswered question is asked again."""


def watch(now: datetime) -> int:
    """Ask if it is time to, and tell the supervisor when nobody answers; return how many questions were asked."""
    canary, _ = Canary.objects.get_or_create(pk=1, defaults={"asked_at": now, "rung_at": now, "answered_at": now})
    if _is_busy():
        lifesign.hear()
        return 0
    if canary.is_silent(now, UNHEARD):
        _call_deaf(canary, now)
    else:
        lifesign.hear()
    if canary.asked_at > canary.answered_at:
        return _ring(now) if now - canary.rung_at >= AGAIN else 0
    return _ask(now) if now - canary.answered_at >= IDLE or _something_waits(now) else 0


def answer() -> None:
    """Note that a worker heard the question."""
    Canary.objects.filter(asked_at__gt=F("answered_at")).update(answered_at=timezone.now())


def age(now: datetime) -> float | None:
    """Return for how many seconds no worker has been heard, or None before the first question."""
    canary = Canary.objects.first()
    return None if canary is None else max(0.0, (now - canary.answered_at).total_seconds())


def is_silent(now: datetime) -> bool:
    """Return whether a question has been waiting too long for its answer, while no job runs."""
    canary = Canary.objects.first()
    return canary is not None and canary.is_silent(now, UNHEARD) and not _is_busy()


def _call_deaf(canary: Canary, now: datetime) -> None:
    """Have the workers started anew, and give them time to answer before that is done again."""
    if canary.deaf_at is not None and now - canary.deaf_at < UNHEARD:
        return
    log.error("No worker has answered the canary since %s: they live, but they do not listen.", canary.asked_at)
    Canary.objects.update(deaf_at=now)
    lifesign.call_deaf()


def _ask(now: datetime) -> int:
    Canary.objects.update(asked_at=now)
    return _ring(now)


def _ring(now: datetime) -> int:
    Canary.objects.update(rung_at=now)
    doorbell.ring([Ring(TASK, 0, QUEUE, priority=1, again=True)])
    return 1


def _is_busy() -> bool:
    """Return whether jobs run: workers with their hands full need not answer."""
    return Job.objects.active().exists()


def _something_waits(now: datetime) -> bool:
    return Job.objects.waiting().filter(queued_at__lte=now - UNHEARD).exists()
