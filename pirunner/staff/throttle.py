"""Failed logins: five of one name from one address within a quarter of an hour lock it for another one.

All of an IPv6 /64 is one address: whoever has one of them has the others, too.

django-axes does this too, with three tables, a middleware and an authentication backend that every process would
load. What is needed is one table, which the audit shows besides.
"""

import hashlib
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from pirunner.staff.models import LONGEST_NAME, SignIn
from pirunner.throttles import neighbourhood
from pirunner.turns import take_turns

MOST_FAILURES = 5
WITHIN = timedelta(minutes=15)
LOCKED_FOR = timedelta(minutes=15)
KEPT = 10_000
"""Rows; the oldest go, so that a stranger who tries for ever does not fill the disk."""
_PRUNED_EVERY = 100


class SignInLocked(Exception):
    """This name failed too often from this address; nobody looks at the password before ``until``."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


def begin_sign_in(name: str, address: str, *, now: datetime | None = None) -> SignIn:
    """Write a try down as failed, before the password is looked at; raises ``SignInLocked``.

    The fifth failure in a row is written down as the one that locks.
    """
    now = now or timezone.now()
    key = _key(name, neighbourhood(address))
    with transaction.atomic():
        take_turns(f"sign-in {key}")
        failures = _failures_in_a_row(key)
        if until := locked_until(failures, now):
            raise SignInLocked(until)
        tried = SignIn(key=key, name=_known(name), address=address[:64], at=now)
        if locked_until([now, *failures], now):
            tried.outcome = SignIn.Outcome.LOCKED
        tried.save()
    if tried.pk % _PRUNED_EVERY == 0:
        SignIn.objects.filter(pk__lte=tried.pk - KEPT).delete()
    return tried


def note_success(tried: SignIn) -> None:
    """Write down that the password was right; failures before it count no more."""
    SignIn.objects.filter(pk=tried.pk).update(outcome=SignIn.Outcome.SIGNED_IN)


def forgive(name: str) -> None:
    """Unlock a name at once, from wherever it failed."""
    SignIn.objects.filter(name=name).update(key="")


def locked_until(failures: list[datetime], now: datetime) -> datetime | None:
    """Return until when failures in a row, newest first, lock; None if they do not.

    They lock when the newest ``MOST_FAILURES`` lie within ``WITHIN``, for ``LOCKED_FOR`` after the newest.
    """
    newest = failures[:MOST_FAILURES]
    if len(newest) < MOST_FAILURES or newest[0] - newest[-1] > WITHIN:
        return None
    until = newest[0] + LOCKED_FOR
    return until if until > now else None


def _failures_in_a_row(key: str) -> list[datetime]:
    newest = SignIn.objects.filter(key=key).order_by("-pk").values_list("outcome", "at")[:MOST_FAILURES]
    failures = []
    for outcome, at in newest:
        if outcome == SignIn.Outcome.SIGNED_IN:
            break
        failures.append(at)
    return failures


def _known(name: str) -> str:
    """Return the name if somebody has it: else it may be a password in the wrong field."""
    return name[:LONGEST_NAME] if get_user_model().objects.filter(username=name).exists() else ""


def _key(name: str, address: str) -> str:
    return hashlib.sha256(f"{name}\x00{address}".encode("utf-8", "surrogateescape")).hexdigest()
