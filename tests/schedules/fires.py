"""Helpers of the tests of time: fires as readings of a zone's clock, and the nights when clocks are set."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from schedules.cron import parse_cron
from schedules.recurrence import CronIn, between

MINUTE = timedelta(minutes=1)

# The instant in UTC at which each zone's clocks are set; a night is the twelve hours around it.
NIGHTS = {
    "Berlin, spring": ("Europe/Berlin", "2026-03-29T01:00"),
    "Berlin, autumn": ("Europe/Berlin", "2026-10-25T01:00"),
    "New York, spring": ("America/New_York", "2026-03-08T07:00"),
    "New York, autumn": ("America/New_York", "2026-11-01T06:00"),
    "Lord Howe, spring": ("Australia/Lord_Howe", "2026-10-03T15:30"),
    "Lord Howe, autumn": ("Australia/Lord_Howe", "2026-04-04T15:00"),
    "Kolkata, always": ("Asia/Kolkata", "2026-03-29T01:00"),
    "Cairo, at midnight": ("Africa/Cairo", "2026-04-23T22:00"),
    "Havana, back past midnight": ("America/Havana", "2026-11-01T05:00"),
    "St Johns, a minute after midnight": ("America/St_Johns", "2010-11-07T02:31"),
    "Troll, two hours": ("Antarctica/Troll", "2026-03-29T01:00"),
    "Apia, a whole day": ("Pacific/Apia", "2011-12-30T10:00"),
}


def utc(text: str) -> datetime:
    """A moment that is written without its offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def night(name: str) -> tuple[ZoneInfo, datetime]:
    """The zone of a night and the instant at which its clocks are set."""
    zone, instant = NIGHTS[name]
    return ZoneInfo(zone), utc(instant)


def cron_in(text: str, zone: ZoneInfo) -> CronIn:
    """A cron in a zone."""
    return CronIn(parse_cron(text), zone)


def fires(text: str, zone: ZoneInfo, first: datetime, last: datetime) -> list[datetime]:
    """Every fire of a cron from one instant to another, both included."""
    return between(cron_in(text, zone), first - MINUTE / 60, last, 100_000)


def reading(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks of a zone show."""
    return instant.astimezone(zone).replace(tzinfo=None)
