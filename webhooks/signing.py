"""Signatures of callbacks: both header families, made for one attempt and checked by a receiver.

``X-Runner-*`` is pi-agent-runner's family: hex HMAC-SHA256 over ``timestamp.body``, keyed with the secret's
text. ``webhook-*`` is Standard Webhooks 1.0: base64 HMAC-SHA256 over ``id.timestamp.body``, one entry per
secret, keyed with the decoded bytes of a ``whsec_`` secret or else with the secret's text. Written on
``hmac`` because the standardwebhooks library takes the time from the system clock and fails with ValueError
on hostile headers.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from secrets import token_bytes as random_bytes

SECRET_PREFIX = "whsec_"  # noqa: S105  (marks a secret, is none)
TOLERANCE_SECONDS = 300

_STANDARD_FAMILY = ("webhook-id", "webhook-timestamp", "webhook-signature")
_RUNNER_FAMILY = ("x-runner-timestamp", "x-runner-signature")
# A dot in an id would let one signed message be read as another with its parts cut differently.
_EVENT_ID = re.compile(r"[!-\-/-~]{1,255}")
_EVENT = re.compile(r"[!-~]{1,255}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SignatureRefused(Exception):
    """A request is not a genuine, fresh callback; the sentence says why."""


def sign_headers(*, event: str, event_id: str, body: bytes, timestamp: int, secrets: Sequence[str]) -> dict[str, str]:
    """Return the signature headers of one attempt at a delivery.

    ``event`` is the kind (``job.completed``), ``event_id`` stays the same on every attempt, ``timestamp``
    is the attempt's time in unix seconds, ``body`` the exact bytes sent. The first of ``secrets`` signs the
    old family, all of them the new one, so that receivers can rotate. Raises ValueError for an event or id
    that cannot be a header (an id with a dot included) and for secrets that are missing or unusable.
    """
    if not _EVENT.fullmatch(event):
        raise ValueError(f"{event!r} cannot be the name of an event.")
    if not _EVENT_ID.fullmatch(event_id):
        raise ValueError(f"{event_id!r} cannot be the id of an event: visible ASCII without a dot is needed.")
    if not secrets:
        raise ValueError("A callback needs at least one secret to be signed with.")
    return {
        "X-Runner-Event": event,
        "X-Runner-Timestamp": str(timestamp),
        "X-Runner-Signature": _runner_signature(secrets[0], str(timestamp), body),
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            _standard_signature(secret, event_id, str(timestamp), body) for secret in secrets
        ),
    }


def verify(
    *,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: float,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> str:
    """Check a received callback and return its event id, ``""`` if it carries the old family only.

    ``headers`` in any case, ``now`` in unix seconds; the timestamp may lie ``tolerance_seconds`` in the
    past or the future. Headers of Standard Webhooks must verify if there are any, otherwise those of the
    old family must. Raises SignatureRefused, and ValueError only for a secret of our own that is unusable.
    """
    received = {name.lower(): value for name, value in headers.items()}
    if any(name in received for name in _STANDARD_FAMILY):
        return _verify_standard(received, body, secrets, now, tolerance_seconds)
    _verify_runner(received, body, secrets, now, tolerance_seconds)
    return ""


def new_secret() -> str:
    """Return a strong new secret in the form of Standard Webhooks 1.0."""
    return SECRET_PREFIX + base64.b64encode(random_bytes(32)).decode()


def standard_key(secret: str) -> bytes:
    """Return the key of a secret under Standard Webhooks: a ``whsec_`` secret decoded, any other as UTF-8.

    Raises ValueError when the secret is empty, or begins with ``whsec_`` and is not base64.
    """
    if not secret.startswith(SECRET_PREFIX):
        return _runner_key(secret)
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError(f"A secret that begins with {SECRET_PREFIX} must go on in base64.")
    return key


def _runner_key(secret: str) -> bytes:
    if not secret:
        raise ValueError("The secret that signs callbacks must not be empty.")
    return secret.encode()


def _runner_signature(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(_runner_key(secret), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _standard_signature(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{event_id}.{timestamp}.".encode() + body
    digest = hmac.new(standard_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _verify_standard(
    received: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float, tolerance: float
) -> str:
    event_id, timestamp, signatures = _required(received, _STANDARD_FAMILY)
    if not _EVENT_ID.fullmatch(event_id):
        raise SignatureRefused("The header webhook-id is not an id: visible ASCII without a dot is expected.")
    _check_age(timestamp, now, tolerance)
    expected = [_standard_signature(secret, event_id, timestamp, body) for secret in secrets]
    if not _any_equal(signatures.split(" "), expected):
        raise SignatureRefused("No entry of webhook-signature matches the body, the id and the timestamp.")
    return event_id


def _verify_runner(
    received: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float, tolerance: float
) -> None:
    timestamp, signature = _required(received, _RUNNER_FAMILY)
    _check_age(timestamp, now, tolerance)
    if not _any_equal([signature], [_runner_signature(secret, timestamp, body) for secret in secrets]):
        raise SignatureRefused("The header x-runner-signature does not match the body and the timestamp.")


def _required(received: Mapping[str, str], names: Iterable[str]) -> list[str]:
    missing = [name for name in names if not received.get(name)]
    if missing:
        raise SignatureRefused(f"The request has no header {' and no header '.join(missing)}.")
    return [received[name] for name in names]


def _check_age(timestamp: str, now: float, tolerance: float) -> None:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureRefused("The timestamp is not a number of unix seconds.")
    age = now - int(timestamp)
    if age > tolerance:
        raise SignatureRefused(f"The timestamp is {age:.0f} seconds old, {tolerance:.0f} are allowed.")
    if age < -tolerance:
        raise SignatureRefused(f"The timestamp lies {-age:.0f} seconds in the future, {tolerance:.0f} are allowed.")


def _any_equal(given: Iterable[str], expected: Sequence[str]) -> bool:
    # Compared as bytes: compare_digest raises TypeError for text beyond ASCII, which a stranger may send.
    candidates = [signature.encode("utf-8", "surrogatepass") for signature in given]
    wanted = [signature.encode() for signature in expected]
    return any(hmac.compare_digest(candidate, each) for candidate in candidates for each in wanted)
