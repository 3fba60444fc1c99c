"""The timing of a schedule: when it recurs and by which rules, as its row keeps it and as pure values."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from schedules.cron import parse_cron
from schedules.models import Schedule
from schedules.quiet import parse_quiet_hours
from schedules.recurrence import CronIn, Every, Once, Recurrence
from schedules.rules import Misfire, Overlap, Rules


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When, and by which rules; ``written`` is the client's JSON.

    ``first_at`` is an interval's anchor, a cron's start, or the one time. Its values are known to make sense.
    """

    written: Any
    zone: ZoneInfo
    cron: str = ""
    every_seconds: float | None = None
    first_at: datetime | None = None
    end_at: datetime | None = None
    misfire: Misfire = Misfire.ONCE
    overlap: Overlap = Overlap.SKIP
    quiet_from: str = ""
    quiet_to: str = ""
    jitter_seconds: float = 0.0

    @cached_property
    def recurrence(self) -> Recurrence:
        """When it recurs. Raises ``ValueError`` if that cannot be told."""
        if self.cron:
            return CronIn(parse_cron(self.cron), self.zone, start=self.first_at, end=self.end_at)
        if self.first_at is None:
            raise ValueError("A schedule without a cron needs a first time.")
        if self.every_seconds is not None:
            return Every(self.every_seconds, self.first_at, end=self.end_at)
        return Once(self.first_at, end=self.end_at)

    @property
    def rules(self) -> Rules:
        """What it does about what is in its way. Raises ``ValueError`` if that cannot be told."""
        return Rules(
            zone=self.zone,
            misfire=self.misfire,
            overlap=self.overlap,
            quiet_hours=parse_quiet_hours(self.quiet_from, self.quiet_to) if self.quiet_from else None,
        )

    def recurs_as(self, other: "Timing") -> bool:
        """Return whether both have the same cron in the same zone, or the same period, and the same start."""
        return all(
            getattr(self, name) == getattr(other, name) for name in ("cron", "every_seconds", "zone", "first_at")
        )

    def put_into(self, schedule: Schedule) -> None:
        """Write it into a row, in memory."""
        schedule.timing = self.written
        schedule.zone = self.zone.key
        for name in _SAME:
            setattr(schedule, name, getattr(self, name))


_SAME = (
    "cron",
    "every_seconds",
    "first_at",
    "end_at",
    "misfire",
    "overlap",
    "quiet_from",
    "quiet_to",
    "jitter_seconds",
)
"""The fields that have the same name in the row."""


def known_timing_of(schedule: Schedule | None) -> Timing | None:
    """Return the timing that a row keeps; None if there is no row, or it makes no sense."""
    return timing_of(schedule) if schedule and is_readable(schedule) else None


def is_readable(schedule: Schedule) -> bool:
    """Return whether a row tells when it recurs and by which rules."""
    try:
        timing = timing_of(schedule)
        return bool(timing.recurrence and timing.rules)
    except ValueError:
        return False


def timing_of(schedule: Schedule) -> Timing:
    """Return the timing that a row keeps. Raises ``ValueError`` if the row makes no sense (any more)."""
    try:
        zone = ZoneInfo(schedule.zone)
    except (LookupError, OSError) as error:  # the machine's zone database has lost it
        raise ValueError(f"There is no time zone {schedule.zone}.") from error
    return Timing(
        written=schedule.timing,
        zone=zone,
        cron=schedule.cron,
        every_seconds=schedule.every_seconds,
        first_at=schedule.first_at,
        end_at=schedule.end_at,
        misfire=Misfire(schedule.misfire),
        overlap=Overlap(schedule.overlap),
        quiet_from=schedule.quiet_from,
        quiet_to=schedule.quiet_to,
        jitter_seconds=schedule.jitter_seconds,
    )
