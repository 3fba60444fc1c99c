"""Reading the ``schedule`` of a client's payload: a recurrence, or every fault of it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from jobs.run_at import RunAtFault, parse_run_at
from jobs.serializers import ScheduleBody
from pirunner.errors import Fault
from pirunner.zones import UnknownZone, find_zone
from schedules.cron import CronFault, parse_cron
from schedules.recurrence import CronIn, Every, Once, Recurrence, never_fires

LEAST_SECONDS = 1.0


def read_recurrence(body: ScheduleBody, now: datetime) -> tuple[Recurrence | None, ZoneInfo, list[Fault]]:
    """Return what a schedule means from now on, its zone, and its faults; the recurrence is None if there are any.

    ``runAt`` alone is one time; beside ``everySeconds`` or ``cron`` it is the first possible one. The paths of the
    faults start at the schedule itself.
    """
    faults: list[Fault] = []
    zone = _zone(body.tz, faults)
    start = _start(body.run_at, zone, now, faults)
    if body.cron is not None and body.every_seconds is not None:
        faults.append(Fault(("cron",), "both_repeats", "Send either cron or everySeconds, not both."))
        return None, zone, faults
    recurrence = _recurrence(body, zone, start, now, faults)
    if recurrence is not None and not faults and never_fires(recurrence):
        faults.append(Fault(("cron",), "never_fires", "It never fires: there is no such date."))
    return (None if faults else recurrence), zone, faults


def _zone(name: str | None, faults: list[Fault]) -> ZoneInfo:
    fallback = ZoneInfo(settings.TIME_ZONE)
    if name is None:
        return fallback
    try:
        return find_zone(name)
    except UnknownZone as error:
        faults.append(Fault(("tz",), "unknown_zone", str(error)))
        return fallback


def _start(text: str | None, zone: ZoneInfo, now: datetime, faults: list[Fault]) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_run_at(text, zone, now)
    except RunAtFault as error:
        faults.append(Fault(("runAt",), "invalid_date", str(error)))
        return None


def _recurrence(
    body: ScheduleBody, zone: ZoneInfo, start: datetime | None, now: datetime, faults: list[Fault]
) -> Recurrence | None:
    if body.cron is not None:
        return _cron(body.cron, zone, start, faults)
    if body.every_seconds is not None:
        return _interval(body.every_seconds, start, now, faults)
    if start is not None:
        return Once(start)
    if not faults:
        faults.append(Fault((), "required", "Send runAt, everySeconds or cron."))
    return None


def _cron(text: str, zone: ZoneInfo, start: datetime | None, faults: list[Fault]) -> Recurrence | None:
    try:
        return CronIn(parse_cron(text), zone, start=start)
    except CronFault as error:
        faults.append(Fault(("cron",), "invalid_cron", str(error)))
        return None


def _interval(seconds: float, start: datetime | None, now: datetime, faults: list[Fault]) -> Recurrence | None:
    """Return an interval anchored at its first fire: ``runAt``, or one period from now."""
    try:
        return Every(seconds, start or now + timedelta(seconds=seconds))
    except (ValueError, OverflowError):
        code = "too_small" if seconds < LEAST_SECONDS else "too_big"
        message = f"everySeconds must be at least {LEAST_SECONDS:g}, and the next time must be before the year 9999."
        faults.append(Fault(("everySeconds",), code, message))
        return None
