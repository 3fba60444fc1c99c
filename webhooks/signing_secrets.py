"""Which secrets sign the callbacks to an address: the owner's, or those of its endpoint; two of them for a while.

The first one also signs the old family of headers, which has room for one signature. It is the new secret from the
moment of the change: whoever changes a secret wants it to be in force, and what a receiver refuses until it knows
the new one is tried again.
"""

from datetime import datetime

from django.conf import settings

from webhooks.hosts import UrlRefused, parse_url, short_host_of
from webhooks.models import Endpoint


def secrets_for(url: str, now: datetime) -> list[str]:
    """Return the secrets for a callback to ``url``, the current one first."""
    endpoint = endpoint_for(url)
    if endpoint is None:
        return own_secrets(now)
    return _valid(endpoint.secret, endpoint.previous_secret, endpoint.previous_until, now)


def own_secrets(now: datetime) -> list[str]:
    """Return ``WEBHOOK_SECRET``, and the one before it as long as that counts."""
    previous, until = settings.WEBHOOK_SECRET_PREVIOUS, settings.WEBHOOK_SECRET_PREVIOUS_UNTIL
    return _valid(settings.WEBHOOK_SECRET, previous, until, now)


def endpoint_for(url: str) -> Endpoint | None:
    """Return the endpoint with the longest prefix of ``url``, None if no prefix fits."""
    fitting = [each for each in Endpoint.objects.filter(host=short_host_of(url)) if is_below(url, each.prefix)]
    return max(fitting, key=lambda each: len(each.prefix), default=None)


def is_below(url: str, prefix: str) -> bool:
    """Return whether a URL begins with a prefix that is canonical, and not in the middle of a word."""
    try:
        canonical = parse_url(url).url
    except UrlRefused:
        return False
    if not canonical.startswith(prefix):
        return False
    return prefix.endswith("/") or canonical[len(prefix) : len(prefix) + 1] in {"", "/", "?"}


def _valid(current: str, previous: str, until: datetime | None, now: datetime) -> list[str]:
    return [current, previous] if previous and (until is None or now < until) else [current]
