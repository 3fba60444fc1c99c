"""A five-field cron: reading it, saying what is wrong with it, and the wall-clock times that it names.

The grammar is cronsim's: ``*``, numbers, names, ranges, steps, lists, and ``L``, ``LW``, ``5L``, ``MON#2`` for days.
If either day field starts with a star, a day must fit both; if neither does, one of them is enough (Debian's cron).
"""

import re
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import MAXYEAR, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field
from cronsim.explain import Expression

LONGEST_TEXT = 500
GIVE_UP_YEARS = 50  # the rarest day, a 29 February on a given weekday, comes back within 40

_FORM = "five fields: minute, hour, day of month, month, day of week"
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
# cronsim goes on to the end of the field from 5-5/15, other crons stay at 5.
_RANGE_OF_ONE = re.compile(r"(\w+)-\1/", re.ASCII)


class CronFault(ValueError):
    """The text is no cron; the sentence says which field is wrong and what may stand there.

    ``field`` and ``position`` (counted from 0) name the bad field; they are ``"cron"`` and ``None`` when the number of
    fields is wrong.
    """

    def __init__(self, field: str, position: int | None, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.position = position
        self.message = message


@dataclass(frozen=True)
class _Place:
    """One of the five places of a cron, and what may stand there."""

    name: str
    values: str
    grammar: Field


_PLACES = (
    _Place("minute", "0 to 59", Field.MINUTE),
    _Place("hour", "0 to 23", Field.HOUR),
    _Place("day of month", "1 to 31, L (the last day), LW (the last weekday)", Field.DAY),
    _Place("month", "1 to 12, JAN to DEC", Field.MONTH),
    _Place("day of week", "0 to 7 (0 and 7 are Sunday), SUN to SAT, 5L (the last Friday), MON#2", Field.DOW),
)


@dataclass(frozen=True)
class Cron:
    """The wall-clock times that a cron names, whatever the zone; made by ``parse_cron``."""

    text: str
    minutes: tuple[int, ...] = field(repr=False, compare=False)
    hours: tuple[int, ...] = field(repr=False, compare=False)
    months: frozenset[int] = field(repr=False, compare=False)
    # None if none of the months has such a day.
    day_rule: CronSim | None = field(repr=False, compare=False)

    @property
    def strides(self) -> bool:
        """Whether its minute is written with a star, as in ``*/15``."""
        return self.text.startswith("*")

    @property
    def runs_through(self) -> bool:
        """Whether it counts elapsed time, and not times of day: a star for the minute, or every hour of the day."""
        return self.strides or len(self.hours) == 24

    def describe(self, zone: ZoneInfo) -> str:
        """Return a sentence in English."""
        sentence = Expression(["0", *self.text.upper().split()]).explain()
        return f"{sentence}, in the zone {zone.key}."

    def matches(self, wall: datetime) -> bool:
        """Return whether it names this wall-clock time, to the second."""
        return wall.second == 0 and wall.minute in self.minutes and self.matches_hour(wall)

    def matches_hour(self, wall: datetime) -> bool:
        """Return whether it names a time in this hour of this day."""
        return wall.hour in self.hours and wall.date() in _days_of_month(self, wall.year, wall.month)

    def walls_after(self, wall: datetime) -> Iterator[datetime]:
        """Yield the wall-clock times after this one, ascending, whether or not a zone has them."""
        first = wall.date()
        for day in self._days_from(first):
            hours = self.hours[bisect_left(self.hours, wall.hour) :] if day == first else self.hours
            for hour in hours:
                for minute in self.minutes:
                    time = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a reading of a clock
                    if time > wall:
                        yield time

    def _days_from(self, first: date) -> Iterator[date]:
        """Yield the days that it names from ``first`` on, until there has been none for ``GIVE_UP_YEARS``."""
        month = first.year * 12 + first.month - 1
        end = month + GIVE_UP_YEARS * 12
        while month <= min(end, MAXYEAR * 12 + 11):
            for day in _days_of_month(self, month // 12, month % 12 + 1):
                if day >= first:
                    end = month + GIVE_UP_YEARS * 12
                    yield day
            month += 1


@lru_cache(maxsize=4096)
def parse_cron(text: str) -> Cron:
    """Read a cron of five fields. Raises ``CronFault``."""
    texts = _five_fields(text)
    values = [_values_at(position, part) for position, part in enumerate(texts)]
    try:
        day_rule = CronSim(f"0 0 {' '.join(texts[2:])}", datetime(2000, 1, 1))  # noqa: DTZ001 - only its days are asked for
    except CronSimError:  # 30 February
        day_rule = None
    return Cron(
        text=" ".join(texts),
        minutes=tuple(sorted(values[0])),
        hours=tuple(sorted(values[1])),
        months=frozenset(values[3]),
        day_rule=day_rule,
    )


def _five_fields(text: str) -> list[str]:
    texts = text.split()
    if len(texts) == 5 and len(text) <= LONGEST_TEXT:
        return texts
    if len(text) > LONGEST_TEXT:
        hint = f"a cron of at most {LONGEST_TEXT} characters is read; this one has {len(text):,}."
    elif text.strip().lower() in _MACROS:
        hint = f"write {text.strip()} as {_MACROS[text.strip().lower()]}."
    elif len(texts) == 6:
        hint = "this one has six; leave out the seconds (or the year), or use everySeconds."
    else:
        hint = f"this one has {len(texts)}. 0 9 * * 1-5 is every weekday at 09:00."
    raise CronFault("cron", None, f"A cron has {_FORM}; {hint}")


def _values_at(position: int, text: str) -> set[int]:
    place = _PLACES[position]
    values: set[int] = set()
    for term in text.split(","):
        try:
            found = place.grammar.parse(term.upper())
        except CronSimError:
            found = set()
        if not found or _RANGE_OF_ONE.match(term.upper()):
            raise CronFault(place.name, position, _sentence(place, position, term))
        values.update(value for value in found if isinstance(value, int))
    return values


def _sentence(place: _Place, position: int, term: str) -> str:
    what = f"{term[:40]!r}" if term else "an empty term"
    return (
        f"Field {position + 1} of the cron, the {place.name}, cannot be {what}: it takes {place.values}, *, "
        "ascending ranges a-b, steps */n or a-b/n, and lists of these with commas."
    )


@lru_cache(maxsize=8192)
def _days_of_month(cron: Cron, year: int, month: int) -> tuple[date, ...]:
    if cron.day_rule is None or month not in cron.months:
        return ()
    every_day = (date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1))
    return tuple(day for day in every_day if cron.day_rule.match_day(day))
