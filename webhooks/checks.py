"""System checks of the webhooks app: faults of the configuration, found at start-up."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Hint

from webhooks.hosts import AllowedHosts, EgressError, host_of
from webhooks.signing import standard_key


def check_allowed_hosts(**_: Any) -> list[Error]:
    """Report lists of hosts that cannot be read (E001)."""
    return [
        *_faults_of("CALLBACK_ALLOWED_HOSTS", settings.CALLBACK_ALLOWED_HOSTS),
        *_faults_of("FETCH_ALLOWED_HOSTS", settings.FETCH_ALLOWED_HOSTS),
    ]


def check_callback_url(**_: Any) -> list[Error]:
    """Report a ``CALLBACK_URL`` that is no URL (E002)."""
    try:
        if settings.CALLBACK_URL:
            host_of(settings.CALLBACK_URL)
    except (EgressError, ValueError) as error:
        return [
            Error(
                f"CALLBACK_URL cannot be used: {error}",
                hint="Write it like https://example.com/hook.",
                id="webhooks.E002",
            )
        ]
    return []


def check_secret(**_: Any) -> list[CheckMessage]:
    """Report secrets that begin like one of Standard Webhooks and are none (E003), and an old one for ever (W001)."""
    faults: list[CheckMessage] = [
        Error(
            f"{name} cannot be decoded.",
            hint="After whsec_ comes base64; or take a secret that does not begin with whsec_.",
            id="webhooks.E003",
        )
        for name in ("WEBHOOK_SECRET", "WEBHOOK_SECRET_PREVIOUS")
        if not _can_sign(getattr(settings, name))
    ]
    if settings.WEBHOOK_SECRET_PREVIOUS and settings.WEBHOOK_SECRET_PREVIOUS_UNTIL is None:
        hint = "Set WEBHOOK_SECRET_PREVIOUS_UNTIL, or take WEBHOOK_SECRET_PREVIOUS out when all receivers know the new."
        faults.append(Hint("The secret before the last change counts for ever.", hint=hint, id="webhooks.W001"))
    return faults


def _can_sign(secret: str) -> bool:
    try:
        return not secret or bool(standard_key(secret))
    except ValueError:
        return False


def _faults_of(name: str, entries: Iterable[str]) -> list[Error]:
    try:
        AllowedHosts.parse(entries)
    except ValueError as error:
        return [
            Error(
                f"{name} cannot be read: {error}", hint="Write host, host:port or CIDR, by comma.", id="webhooks.E001"
            )
        ]
    return []
