"""The rules of a schedule: what it does about missed due times, and about jobs that still run. Pure values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from schedules.quiet import QuietHours, quiet


class Backend(StrEnum):
    """Whose timers ring for a schedule."""

    CELERY = "celery"
    SYSTEMD = "systemd"


class Misfire(StrEnum):
    """What is done about due times that were missed."""

    ONCE = "once"
    SKIP = "skip"
    ALL = "all"


class Overlap(StrEnum):
    """What is done when a job of the schedule has not ended and the next is due."""

    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"
    ALLOW = "allow"


class Outcome(StrEnum):
    """What became of a due time."""

    FIRED = "fired"
    CAUGHT_UP = "caught_up"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why a due time was skipped or caught up, or why there is a row for none."""

    NONE = ""
    MISSED = "missed"
    PAUSED = "paused"
    OVERLAP = "overlap"
    QUIET_HOURS = "quiet_hours"
    QUEUE_FULL = "queue_full"
    CONCURRENCY_KEY = "concurrency_key"
    UNKNOWN_JOB_TYPE = "unknown_job_type"
    INVALID_INPUT = "invalid_input"
    TIMER_SILENT = "timer_silent"
    RUN_NOW = "run_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a schedule deals with what is in its way; quiet hours are read in ``zone``."""

    zone: ZoneInfo
    misfire: Misfire = Misfire.ONCE
    overlap: Overlap = Overlap.SKIP
    quiet_hours: QuietHours | None = None

    def are_quiet(self, instant: datetime) -> bool:
        """Return whether an instant is within the quiet hours."""
        return self.quiet_hours is not None and quiet(instant, self.zone, [self.quiet_hours])
