"""Who may call the API: the bearer token of the request, and what it may do."""

import hashlib
import hmac

from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from pirunner.callers import Caller
from pirunner.errors import RateLimited, Unauthorized
from pirunner.proxies import client_address
from pirunner.throttles import Buckets, neighbourhood
from pirunner.tokens.models import Standing
from pirunner.tokens.register import Entry, register
from pirunner.tokens.text import PREFIX

BOOTSTRAP = "bootstrap"
WRONG_A_MINUTE = 20
"""Wrong tokens that one address may try."""

_BOOTSTRAP = Caller(BOOTSTRAP)
wrong_tokens = Buckets()
paces = Buckets()


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>`` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        """Return the caller; raises ``Unauthorized`` without a valid token, ``RateLimited`` for too many requests.

        The bootstrap token is looked at first, without the database.
        """
        scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        text = given.strip()
        if scheme.lower() != "bearer" or not text:
            raise _refusal("Send the header 'Authorization: Bearer <token>' with a valid token.")
        if same_secret(text, settings.RUNNER_API_TOKEN):
            return _BOOTSTRAP, None
        entry = register.find(text)
        refusal = _fault_of(text, entry)
        if entry is None or refusal:
            _count_wrong(request)
            raise _refusal(refusal)
        _keep_pace(entry)
        register.note_use(entry)
        return entry.caller, None


def same_secret(given: str, expected: str) -> bool:
    """Compare two secrets in constant time; an empty expectation matches nothing."""
    if not expected:
        return False
    given_digest = hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest()
    return hmac.compare_digest(given_digest, hashlib.sha256(expected.encode()).digest())


def _fault_of(text: str, entry: Entry | None) -> str:
    """Return what is wrong with a token, "" if nothing is."""
    if entry is None and text.startswith(PREFIX):
        return "There is no such token: it was mistyped or cut short, or replaced by a newer one. Ask its owner."
    if entry is None:
        return "This is not a valid token. Send 'Authorization: Bearer <token>'; 'manage.py token add' makes one."
    token = entry.token
    match token.standing(timezone.now()):
        case Standing.REVOKED:
            return f"The token {token.label!r} was revoked on {token.revoked_at:%Y-%m-%d}; ask its owner for another."
        case Standing.EXPIRED:
            return f"The token {token.label!r} expired on {token.expires_at:%Y-%m-%d}; ask its owner for another one."
    return ""


def _count_wrong(request: Request) -> None:
    address = client_address(request.META)
    if seconds := wrong_tokens.take(neighbourhood(address), WRONG_A_MINUTE):
        raise RateLimited("Too many wrong tokens came from your address; send a right one.", retry_after=seconds)


def _keep_pace(entry: Entry) -> None:
    most = entry.token.requests_per_minute
    if most and (seconds := paces.take(entry.caller.name, most)):
        raise RateLimited(
            f"The token {entry.caller.name!r} may send {most} requests a minute; wait as Retry-After says.",
            retry_after=seconds,
        )


def _refusal(sentence: str) -> Unauthorized:
    return Unauthorized(sentence, headers={"WWW-Authenticate": "Bearer"})
