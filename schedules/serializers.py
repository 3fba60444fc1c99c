"""Schedules on the wire."""

from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from jobs.serializers import ScheduleBody
from schedules.recurrence import Recurrence, describe


class PreviewBody(msgspec.Struct, rename="camel", frozen=True):
    """The body of ``POST /schedules/preview``."""

    schedule: ScheduleBody
    count: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5


def read_preview(recurrence: Recurrence, fires: list[datetime], zone: ZoneInfo) -> dict[str, Any]:
    """Return the next times in UTC and in the schedule's zone, and a sentence."""
    return {"fires": [_read_fire(fire, zone) for fire in fires], "description": describe(recurrence)}


def _read_fire(fire: datetime, zone: ZoneInfo) -> dict[str, str]:
    utc = fire.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"utc": utc, "local": fire.astimezone(zone).isoformat(timespec="seconds")}
