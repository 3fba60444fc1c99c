"""Previews: when a schedule that nobody has made yet would fire."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from jobs.submissions import unknown_in_schedule, warnings_about_unknown
from jobs.validation import faults_of
from pirunner.errors import InvalidPayload
from schedules.reading import read_timing
from schedules.recurrence import describe, fires_after
from schedules.serializers import PreviewBody, read_preview
from schedules.timing import Timing

LOOKED_AT = 10_000
"""How many times are looked at for those that are not quiet."""

_SCHEMA = msgspec.json.schema(PreviewBody)
_KNOWN = frozenset(field.encode_name for field in msgspec.structs.fields(PreviewBody))


@dataclass(frozen=True, slots=True)
class Preview:
    """A timing that was read, its next times but those in its quiet hours, and what was ignored of the payload."""

    timing: Timing
    fires: list[datetime]
    warnings: list[str]


def preview_of(raw: Any, *, now: datetime) -> dict[str, Any]:
    """Return the next times of a schedule and a sentence about it, as the API does. Raises ``InvalidPayload``."""
    found = look_ahead(raw, now=now)
    preview = read_preview(describe(found.timing.recurrence), found.fires, found.timing.zone)
    return {**preview, "warnings": found.warnings} if found.warnings else preview


def look_ahead(raw: Any, *, now: datetime, known: Timing | None = None) -> Preview:
    """Return the next times of the schedule in a body; ``known`` is the timing that it would replace.

    Raises ``InvalidPayload``.
    """
    try:
        body = msgspec.convert(raw, PreviewBody)
    except msgspec.ValidationError:
        raise InvalidPayload(faults_of(_SCHEMA, raw)) from None
    timing, faults = read_timing(body.schedule, raw["schedule"], now, known)
    if timing is None:
        raise InvalidPayload([fault.below("schedule") for fault in faults])
    due = islice(fires_after(timing.recurrence, now), LOOKED_AT)
    fires = list(islice((fire for fire in due if not timing.rules.are_quiet(fire)), body.count))
    unknown = [name for name in raw if name not in _KNOWN]
    return Preview(timing, fires, warnings_about_unknown([*unknown, *unknown_in_schedule(raw["schedule"])]))
