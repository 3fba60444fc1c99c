"""Where messages go: the Telegram chat and the services of ``NOTIFY_URLS``, each under a name without secrets.

A reminder goes to those of its recipient instead, if ``NOTIFY_RECIPIENTS`` knows them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.utils.crypto import salted_hmac

from webhooks.relay import services_by_url, telegram
from webhooks.relay.outcome import Sent

LOG = "log"
"""The target of messages when no service is configured: they are only logged."""


@dataclass(frozen=True, slots=True)
class Target:
    """A service: the name that rows and logs know it by, and how a text is sent to it."""

    name: str
    send: Callable[[str], Sent]


def targets() -> list[Target]:
    """Return the services that are told of everything, each once."""
    found = [Target("telegram", telegram.send)] if settings.TELEGRAM_BOT_TOKEN else []
    return found + [_by_url(url) for url in settings.NOTIFY_URLS]


def targets_of(recipient: str) -> list[Target]:
    """Return the services of a recipient of ``NOTIFY_RECIPIENTS``; one who is not there has those of all."""
    urls = settings.NOTIFY_RECIPIENTS.get(recipient.strip().casefold(), ())
    return [_by_url(url) for url in urls] or targets()


def all_targets() -> list[Target]:
    """Return every service that is configured, for all and for single recipients, each once."""
    own = [_by_url(url) for urls in settings.NOTIFY_RECIPIENTS.values() for url in urls]
    return list({target.name: target for target in [*targets(), *own]}.values())


def find(name: str) -> Target | None:
    """Return the service of this name, or None when it is no longer configured."""
    return next((target for target in all_targets() if target.name == name), None)


def _by_url(url: str) -> Target:
    return Target(_name_of(url), partial(services_by_url.send, url))


def _name_of(url: str) -> str:
    # Keyed, so that nobody who reads the rows can try out passwords; it stays while the URL does.
    digest = salted_hmac("webhooks.relay.targets", url, algorithm="sha256").hexdigest()
    return f"{url.partition('://')[0].lower()[:40]}:{digest[:12]}"
