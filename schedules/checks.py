"""System checks of the schedules app: faults of the configuration, found at start-up."""

from typing import Any

from django.conf import settings
from django.core.checks import Error

from schedules.cron import CronFault, parse_cron


def check_brief_cron(**_: Any) -> list[Error]:
    """Report a ``CRYPTO_BRIEF_CRON`` that is no cron (E001)."""
    try:
        if settings.CRYPTO_BRIEF_CRON:
            parse_cron(settings.CRYPTO_BRIEF_CRON)
    except CronFault as fault:
        hint = "Write it like 0 9 * * *, or off for no daily brief."
        return [Error(f"CRYPTO_BRIEF_CRON cannot be read: {fault}", hint=hint, id="schedules.E001")]
    return []
