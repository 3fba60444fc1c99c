"""Django system checks of the configuration, each with an id and a hint."""

from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage, Error, register

from pirunner import env

WELL_KNOWN = frozenset({"change-me", "changeme", "change_me", "secret", "password"})
CHECKED = ("RUNNER_API_TOKEN", "WEBHOOK_SECRET", "INSTALLER_TOKEN", "SECRET_KEY", "ADMIN_PASSWORD", "FLOWER_PASSWORD")


@register("security")
def check_configured_secrets(**_: Any) -> list[CheckMessage]:
    """Refuse secrets that are empty (E001) or well known (E002), unless DEVELOPMENT is on."""
    return check_secrets()


def check_secrets(names: Iterable[str] = CHECKED) -> list[CheckMessage]:
    """Return what is wrong with these secrets; nothing where DEVELOPMENT is on."""
    if env.switch("DEVELOPMENT"):
        return []
    return [fault for name in names if (fault := secret_fault(name, env.secret(name)))]


def secret_fault(name: str, value: str) -> CheckMessage | None:
    """Return what is wrong with the value of the secret ``name``, or None."""
    if not value:
        return Error(f"{name} is empty.", hint=_HINT.format(name=name), id="pirunner.E001")
    if value.lower() in WELL_KNOWN:
        return Error(f"{name} is a well-known word.", hint=_HINT.format(name=name), id="pirunner.E002")
    return None


_HINT = "Delete its line from .env, and the next start of scripts/run makes a strong one; or set DEVELOPMENT=on."
