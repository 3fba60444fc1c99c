"""Crons as the calendars that systemd can express. Pure.

The grammar is that of ``schedules.cron`` less ``L``, ``W`` and ``#``, which systemd does not know. A day must fit both
day fields if one of them starts with a star; else one of them is enough.
"""

import re
from dataclasses import dataclass

from installer.refusals import Inexpressible, Objection
from installer.schema import Calendar

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_TERM = re.compile(r"(?:(?P<star>\*)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>[0-9]+))?", re.ASCII)
_UNKNOWN_TO_SYSTEMD = re.compile(r"L|LW|[0-9A-Z]+L|[0-9A-Z]+#[0-9L]+", re.ASCII)


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    first: int = 0  # the number of the first name

    def number(self, text: str) -> int:
        if text in self.names:
            return self.names.index(text) + self.first
        if not text.isdigit() or not self.low <= int(text) <= self.high:
            raise ValueError(text)
        return int(text)


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS, 1),
    _Field("day of week", 0, 7, _WEEKDAYS),
)


def calendar_of(cron: str, zone: str) -> Calendar:
    """Return the calendar of a cron of five fields. Raises ``Inexpressible``, with all that is wrong with it."""
    texts = cron.upper().split()
    if len(texts) != len(_FIELDS):
        raise Inexpressible((Objection("cron", "invalid_cron", "A cron has five fields."),))
    found: list[tuple[int, ...] | None] = []
    objections = []
    for field, text in zip(_FIELDS, texts, strict=True):
        try:
            found.append(_values(field, text))
        except ValueError as error:
            objections.append(_objection(field, str(error)))
    if objections:
        raise Inexpressible(tuple(objections))
    minutes, hours, days, months, weekdays = found
    weekdays = tuple(sorted({day % 7 for day in weekdays})) if weekdays else None
    either = not texts[2].startswith("*") and not texts[4].startswith("*")
    return Calendar(zone=zone, minutes=minutes, hours=hours, days=days, months=months, weekdays=weekdays, either=either)


def _values(field: _Field, text: str) -> tuple[int, ...] | None:
    """Return the numbers that a field names, ascending; None for a lone star. Raises ``ValueError`` with the term."""
    if text == "*":
        return None
    return tuple(sorted({number for term in text.split(",") for number in _numbers(field, term)}))


def _numbers(field: _Field, term: str) -> range:
    match = _TERM.fullmatch(term)
    if match is None:
        raise ValueError(term)
    try:
        low = field.low if match["star"] else field.number(match["low"])
        high = _high(field, match)
        step = int(match["step"] or 1)
    except ValueError:
        raise ValueError(term) from None
    # From 5-5/15 some crons go on to the end of the field and others stay at 5.
    if high < low or step < 1 or (match["high"] and low == high and match["step"]):
        raise ValueError(term)
    return range(low, high + 1, step)


def _high(field: _Field, match: re.Match[str]) -> int:
    if match["star"]:
        return 6 if field.high == 7 else field.high  # Sunday is 0 and 7, and a star counts it once
    if match["high"]:
        return field.number(match["high"])
    return field.high if match["step"] else field.number(match["low"])


def _objection(field: _Field, term: str) -> Objection:
    if _UNKNOWN_TO_SYSTEMD.fullmatch(term):
        message = f"systemd has no {term[:20]} for the {field.name}; use scheduleBackend celery for it."
        return Objection("cron", "not_expressible", message)
    return Objection("cron", "invalid_cron", f"The {field.name} cannot be {term[:20]!r}.")
