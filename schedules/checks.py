"""System checks of the schedules app: faults of the configuration, found at start-up."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import Error

from schedules.cron import CronFault, parse_cron
from schedules.recurrence import CronIn, never_fires


def check_brief_cron(**_: Any) -> list[Error]:
    """Report a ``CRYPTO_BRIEF_CRON`` that is no cron, or that never fires (E001)."""
    fault = _fault_of(settings.CRYPTO_BRIEF_CRON) if settings.CRYPTO_BRIEF_CRON else None
    if fault is None:
        return []
    hint = "Write it like 0 9 * * *, or off for no daily brief."
    return [Error(f"CRYPTO_BRIEF_CRON cannot be used: {fault}", hint=hint, id="schedules.E001")]


def _fault_of(text: str) -> str | None:
    try:
        recurrence = CronIn(parse_cron(text), ZoneInfo(settings.TIME_ZONE))
    except CronFault as fault:
        return str(fault)
    return f"{text} never fires, there is no such date." if never_fires(recurrence) else None
