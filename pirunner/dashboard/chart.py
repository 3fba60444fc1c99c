"""Bars of ended jobs, as places of rectangles in percent; pure. The template draws them.

Completed and cancelled jobs stand on one another above the line. Failed ones hang below it, on a scale of their own
and with their number: two of a thousand are seen as well as two of three, in whatever colours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from jobs.states import State

GAP = 0.22
"""Part of a slot's width that stays empty."""
LEAST, LEAST_FAILED = 2.5, 16.0
"""Percent of its half that the smallest bar has, so that one job of a million is seen."""
_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Slot:
    """What ended between two moments (the local clock's, for what is written)."""

    start: datetime
    end: datetime
    ended: dict[str, int] = field(default_factory=dict)

    def count(self, state: State) -> int:
        """Return how many jobs came to a state."""
        return self.ended.get(state.value, 0)

    @property
    def total(self) -> int:
        """How many jobs ended."""
        return sum(self.ended.values())

    @property
    def name(self) -> str:
        """From when to when, in words."""
        return f"{self.start:%a %-d %b, %H:%M} to {self.end:%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A slot as it is drawn: percents of the width, and of the half above or below the line."""

    slot: Slot
    x: float
    width: float
    middle: float
    completed_y: float
    completed_height: float
    cancelled_y: float
    cancelled_height: float
    failed_height: float
    completed: int
    cancelled: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All bars, the greatest number of the scale above the line, and the sums."""

    bars: Sequence[Bar]
    top: int
    completed: int
    failed: int
    cancelled: int

    @property
    def half(self) -> int:
        """The number at the middle of the scale."""
        return self.top // 2

    @property
    def total(self) -> int:
        """How many jobs ended."""
        return self.completed + self.failed + self.cancelled

    @property
    def success_percent(self) -> str:
        """How many of a hundred ended jobs that were not cancelled completed; never 100 if one failed."""
        ran = self.completed + self.failed
        if not ran:
            return ""
        if not self.failed:
            return "100"
        return f"{min(99.9, 100 * self.completed / ran):.1f}"


def slots_of(now: datetime, *, hours: int, count: int, zone: tzinfo) -> list[Slot]:
    """Return so many slots of so many hours, the last of which ``now`` is in; they begin at multiples of the hours.

    ``now`` is in UTC, as the hours are that they are filled with; multiples are those of the local clock.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    first_of_last = hour - _HOUR * (hour.astimezone(zone).hour % hours)
    starts = [first_of_last - _HOUR * hours * (count - 1 - number) for number in range(count)]
    return [Slot(start.astimezone(zone), (start + _HOUR * hours).astimezone(zone)) for start in starts]


def fill(slots: Sequence[Slot], ends: Iterable[tuple[datetime, str, int]]) -> None:
    """Add to each slot what ended in it: hour, state and how many; what is outside of all is left out."""
    first, length = slots[0].start, slots[0].end - slots[0].start
    for hour, state, ended in ends:
        place = (hour - first) // length
        if 0 <= place < len(slots):
            slots[place].ended[state] = slots[place].ended.get(state, 0) + ended


def draw(slots: Sequence[Slot]) -> Chart:
    """Return the chart of these slots."""
    top = nice(max((slot.count(State.COMPLETED) + slot.count(State.CANCELLED) for slot in slots), default=0))
    worst = max((slot.count(State.FAILED) for slot in slots), default=0)
    return Chart(
        bars=[_bar(number, slot, len(slots), top, worst) for number, slot in enumerate(slots)],
        top=top,
        completed=sum(slot.count(State.COMPLETED) for slot in slots),
        failed=sum(slot.count(State.FAILED) for slot in slots),
        cancelled=sum(slot.count(State.CANCELLED) for slot in slots),
    )


def nice(number: int) -> int:
    """Return the least even, round number that is not less: where a scale ends that has a line in its middle."""
    step = 1
    while True:
        for factor in (2, 4, 6, 10):
            if factor * step >= number:
                return factor * step
        step *= 10


def _bar(number: int, slot: Slot, count: int, top: int, worst: int) -> Bar:
    width = 100 / count
    completed, cancelled, failed = (slot.count(state) for state in (State.COMPLETED, State.CANCELLED, State.FAILED))
    completed_height, cancelled_height = _height(completed, top), _height(cancelled, top)
    return Bar(
        slot=slot,
        x=round(width * (number + GAP / 2), 3),
        width=round(width * (1 - GAP), 3),
        middle=round(width * (number + 0.5), 3),
        completed_y=round(100 - completed_height, 2),
        completed_height=completed_height,
        cancelled_y=round(max(0.0, 100 - completed_height - cancelled_height), 2),
        cancelled_height=cancelled_height,
        failed_height=_height(failed, worst, LEAST_FAILED),
        completed=completed,
        cancelled=cancelled,
        failed=failed,
    )


def _height(count: int, most: int, least: float = LEAST) -> float:
    return round(max(least, 100 * count / most), 2) if count else 0.0
