"""Who may call the API: the bearer token of the request."""

import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from pirunner.errors import Unauthorized

BOOTSTRAP = "bootstrap"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the name of the token."""

    name: str
    is_authenticated: bool = True


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>`` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        """Return the caller; raises ``Unauthorized`` without a valid token."""
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not same_secret(token.strip(), settings.RUNNER_API_TOKEN):
            raise Unauthorized(
                "Send the header 'Authorization: Bearer <token>' with a valid token.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return Caller(BOOTSTRAP), None


def same_secret(given: str, expected: str) -> bool:
    """Compare two secrets in constant time; an empty expectation matches nothing."""
    if not expected:
        return False
    given_digest = hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest()
    return hmac.compare_digest(given_digest, hashlib.sha256(expected.encode()).digest())
