"""Reading the ``schedule`` of a client's payload: a timing, or every fault of it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from jobs.run_at import RunAtFault, parse_run_at
from jobs.serializers import QuietHoursBody, ScheduleBody
from pirunner.errors import Fault
from pirunner.zones import UnknownZone, find_zone
from schedules.cron import CronFault, parse_cron
from schedules.quiet import QuietHoursFault, parse_quiet_hours
from schedules.recurrence import Every, never_fires
from schedules.rules import Misfire, Overlap
from schedules.timing import Timing

LEAST_SECONDS = 1.0


class TimingReader:
    """Reads one ``schedule`` as of ``now``; after ``read`` every fault of it is in ``faults``.

    Their paths start at the schedule itself. ``known`` is the timing that is being edited, if there is one: what is
    not changed need not be in the future any more, and an interval that is not changed keeps its anchor.
    """

    def __init__(self, body: ScheduleBody, written: Any, now: datetime, known: Timing | None = None) -> None:
        self._body = body
        self._written = written
        self._now = now
        self._known = known
        self.faults: list[Fault] = []

    def read(self) -> Timing | None:
        """Return the timing; None if it has faults.

        ``runAt`` alone is one time; beside ``everySeconds`` or ``cron`` it is the first possible one.
        """
        body = self._body
        zone = self._zone()
        start = self._moment("runAt", body.run_at, zone)
        end = self._moment("endAt", body.end_at, zone)
        cron = self._cron()
        self._check_quiet_hours(body.quiet_hours)
        if body.cron is not None and body.every_seconds is not None:
            self._fault("cron", "both_repeats", "Send either cron or everySeconds, not both.")
        elif not body.repeats and body.run_at is None:
            self.faults.append(Fault((), "required", "Send runAt, everySeconds or cron."))
        first = self._first(start, zone)
        if self.faults:
            return None
        quiet_hours = body.quiet_hours
        timing = Timing(
            written=self._written,
            zone=zone,
            cron=cron,
            every_seconds=body.every_seconds,
            first_at=first,
            end_at=end,
            misfire=Misfire(body.misfire),
            overlap=Overlap(body.overlap),
            quiet_from=quiet_hours.start if quiet_hours else "",
            quiet_to=quiet_hours.end if quiet_hours else "",
            jitter_seconds=body.jitter_seconds,
        )
        return self._that_fires(timing)

    def _fault(self, field: str, code: str, message: str) -> None:
        self.faults.append(Fault((field,), code, message))

    def _zone(self) -> ZoneInfo:
        fallback = ZoneInfo(settings.TIME_ZONE)
        if self._body.tz is None:
            return fallback
        try:
            return find_zone(self._body.tz)
        except UnknownZone as error:
            self._fault("tz", "unknown_zone", str(error))
            return fallback

    def _moment(self, field: str, text: str | None, zone: ZoneInfo) -> datetime | None:
        if text is None:
            return None
        if self._is_known(field, text, zone):
            return parse_run_at(text, zone, _ANY_TIME)
        try:
            return parse_run_at(text, zone, self._now)
        except RunAtFault as error:
            self._fault(field, "invalid_date", str(error))
            return None

    def _is_known(self, field: str, text: str, zone: ZoneInfo) -> bool:
        known = self._known
        return known is not None and known.zone == zone and (known.written or {}).get(field) == text

    def _cron(self) -> str:
        if self._body.cron is None:
            return ""
        try:
            return parse_cron(self._body.cron).text
        except CronFault as error:
            self._fault("cron", "invalid_cron", str(error))
            return ""

    def _check_quiet_hours(self, hours: QuietHoursBody | None) -> None:
        try:
            if hours:
                parse_quiet_hours(hours.start, hours.end)
        except QuietHoursFault as error:
            self._fault("quietHours", "invalid_time", str(error))

    def _first(self, start: datetime | None, zone: ZoneInfo) -> datetime | None:
        """Return the start; for an interval its anchor, without ``runAt`` one period from now."""
        seconds = self._body.every_seconds
        if seconds is None:
            return start
        known = self._known
        same_zone = known and (known.zone == zone or self._body.run_at is None)
        unchanged = known and known.every_seconds == seconds and same_zone
        if known and unchanged and (known.written or {}).get("runAt") == self._body.run_at:
            return known.first_at
        try:
            anchor = start or self._now + timedelta(seconds=seconds)
            return Every(seconds, anchor).anchor
        except (ValueError, OverflowError):
            code = "too_small" if seconds < LEAST_SECONDS else "too_big"
            message = (
                f"everySeconds must be at least {LEAST_SECONDS:g}, and the next time must be before the year 9999."
            )
            self._fault("everySeconds", code, message)
            return None

    def _that_fires(self, timing: Timing) -> Timing | None:
        """Return a timing; None, with the fault, if it has no time at all."""
        if not never_fires(timing.recurrence):
            return timing
        if timing.end_at and not never_fires(_endless(timing).recurrence):
            self._fault("endAt", "never_fires", "It never fires: its first time is later than endAt.")
        else:
            self._fault("cron", "never_fires", "It never fires: there is no such date.")
        return None


def _endless(timing: Timing) -> Timing:
    return Timing(
        written=None, zone=timing.zone, cron=timing.cron, every_seconds=timing.every_seconds, first_at=timing.first_at
    )


_ANY_TIME = datetime.min.replace(tzinfo=ZoneInfo("UTC"))


def read_timing(
    body: ScheduleBody, written: Any, now: datetime, known: Timing | None = None
) -> tuple[Timing | None, list[Fault]]:
    """Return the timing that a schedule asks for and no faults, or None and every fault; see ``TimingReader``."""
    reader = TimingReader(body, written, now, known)
    timing = reader.read()
    return timing, reader.faults
