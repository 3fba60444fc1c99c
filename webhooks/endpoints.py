"""Secrets of their own for some receivers: written here, read by the sender, shown nowhere."""

from datetime import datetime

from webhooks.hosts import UrlRefused, parse_url, short_host_of
from webhooks.models import Endpoint
from webhooks.signing import new_secret, standard_key

LONGEST_PREFIX = 500
LONGEST_SECRET = 255


class EndpointRefused(Exception):
    """An endpoint cannot be kept like this; the sentence says why."""


def save_endpoint(prefix: str, secret: str, *, now: datetime) -> Endpoint:
    """Keep a secret for all addresses below a prefix, instead of the one there was; raises ``EndpointRefused``."""
    canonical = canonical_prefix(prefix)
    row, _ = Endpoint.objects.update_or_create(
        prefix=canonical,
        defaults={
            "host": short_host_of(canonical),
            "secret": checked_secret(secret),
            "previous_secret": "",
            "previous_until": None,
        },
        create_defaults={
            "host": short_host_of(canonical),
            "secret": checked_secret(secret),
            "created_at": now,
        },
    )
    return row


def rotate_endpoint(prefix: str, *, until: datetime) -> str:
    """Give an endpoint a new secret, beside which the old one counts for a while; return the new one.

    Raises ``EndpointRefused`` when there is none with this prefix.
    """
    row = Endpoint.objects.filter(prefix=canonical_prefix(prefix)).first()
    if row is None:
        raise EndpointRefused(f"There is no endpoint {prefix}.")
    row.previous_secret, row.previous_until, row.secret = row.secret, until, new_secret()
    row.save(update_fields=["secret", "previous_secret", "previous_until"])
    return row.secret


def remove_endpoint(prefix: str) -> bool:
    """Forget an endpoint, so that the owner's secret signs again; return whether there was one."""
    removed, _ = Endpoint.objects.filter(prefix=canonical_prefix(prefix)).delete()
    return bool(removed)


def canonical_prefix(prefix: str) -> str:
    """Return a prefix as it is kept and compared; raises ``EndpointRefused``."""
    try:
        canonical = parse_url(prefix).url
    except UrlRefused as error:
        raise EndpointRefused(str(error)) from None
    if "?" in canonical or len(canonical) > LONGEST_PREFIX:
        raise EndpointRefused(f"A prefix ends before the question mark, and has {LONGEST_PREFIX} characters at most.")
    return canonical


def checked_secret(secret: str) -> str:
    """Return a secret that can sign; raises ``EndpointRefused``."""
    try:
        standard_key(secret)
    except ValueError as error:
        raise EndpointRefused(str(error)) from None
    if not 16 <= len(secret) <= LONGEST_SECRET or "\x00" in secret:
        raise EndpointRefused(f"A secret has 16 to {LONGEST_SECRET} characters.")
    return secret
