"""The calendar strip: the latest due times of a schedule as small squares, by what became of each, and the next ones.

``cells_of`` and ``groups_of`` are pure; ``strip_of`` reads what they need: three queries, whatever the history.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from jobs.models import Job
from jobs.states import State
from schedules.admin.words import outcome_in_words
from schedules.models import Occurrence, Schedule
from schedules.recurrence import fires_after
from schedules.rules import Outcome
from schedules.selectors import occurrences_of
from schedules.timing import timing_of

LATEST = 60
"""How many occurrences the strip shows."""
UPCOMING = 5
MANY_DAYS = 20
"""With more days than this, squares are grouped by month."""
_LOOKED_AT = 1000

TIMES = "\N{MULTIPLICATION SIGN}"
DONE, FAILED, CANCELLED, OPEN = "done", "failed", "cancelled", "open"
FIRED, SKIPPED, NEXT = "fired", "skipped", "next"

LOOKS: Mapping[str, tuple[str, str]] = {
    DONE: ("✓", "its job completed"),
    FAILED: ("✕", "its job failed"),
    CANCELLED: ("⊘", "its job was cancelled"),
    OPEN: ("…", "its job has not ended"),
    FIRED: ("•", "fired; its job is no longer kept"),
    SKIPPED: ("-", "skipped, no job"),
    NEXT: ("", "still to come"),
}
"""The mark of each square, and what it means. The mark tells it without the colour."""

_BY_STATE: Mapping[str, str] = {
    State.COMPLETED: DONE,
    State.FAILED: FAILED,
    State.CANCELLED: CANCELLED,
    State.DELAYED: OPEN,
    State.WAITING: OPEN,
    State.ACTIVE: OPEN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One square: a due time, or neighbours that were skipped for one reason, or a time to come."""

    due_at: datetime
    look: str
    told: str
    count: int = 1
    late: bool = False
    job_id: int | None = None

    @property
    def mark(self) -> str:
        """What stands in the square: its count where it is for many, else the mark of its look."""
        return LOOKS[self.look][0] if self.count == 1 else f"{TIMES}{short_count(self.count)}"


@dataclass(frozen=True, slots=True)
class Group:
    """The squares of a day or a month."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """The groups, oldest first, and the looks that occur in them, for the legend."""

    groups: Sequence[Group] = ()
    looks: Sequence[tuple[str, str, str]] = ()
    has_late: bool = False
    occurrences: Sequence[Occurrence] = field(default=())


def strip_of(schedule: Schedule, now: datetime) -> Strip:
    """Return the strip of a schedule."""
    zone = zone_of(schedule)
    occurrences = occurrences_of(schedule, before=None, limit=LATEST)
    jobs = [occurrence.job_id for occurrence in occurrences if occurrence.job_id is not None]
    states = dict(Job.objects.filter(pk__in=jobs).values_list("pk", "state"))
    cells = cells_of(occurrences, states, upcoming_of(schedule, now), zone)
    seen = {cell.look for cell in cells}
    looks = [(look, *LOOKS[look]) for look in LOOKS if look in seen]
    return Strip(groups_of(cells, zone), looks, any(cell.late for cell in cells), occurrences)


def upcoming_of(schedule: Schedule, now: datetime) -> list[datetime]:
    """Return the next due times of a schedule that are not quiet; none while it is paused, or if it is unreadable."""
    if not schedule.enabled:
        return []
    try:
        timing = timing_of(schedule)
        due = islice(fires_after(timing.recurrence, now), _LOOKED_AT)
        return list(islice((fire for fire in due if not timing.rules.are_quiet(fire)), UPCOMING))
    except ValueError:
        return []


def cells_of(
    newest_first: Sequence[Occurrence], states: Mapping[int, str], upcoming: Iterable[datetime], zone: ZoneInfo
) -> list[Cell]:
    """Return the squares, oldest first; ``states`` are those of the jobs that are still kept."""
    past = [_cell_of(occurrence, states, zone) for occurrence in reversed(newest_first)]
    return past + [Cell(due_at=fire, look=NEXT, told=f"{written(fire, zone)}: still to come") for fire in upcoming]


def groups_of(cells: Sequence[Cell], zone: ZoneInfo) -> list[Group]:
    """Return the squares by day, or by month where there are many days."""
    days = {cell.due_at.astimezone(zone).date() for cell in cells}
    form = "%b %Y" if len(days) > MANY_DAYS else "%a %-d %b"
    grouped = groupby(cells, key=lambda cell: cell.due_at.astimezone(zone).strftime(form))
    return [Group(label, tuple(found)) for label, found in grouped]


def short_count(number: int) -> str:
    """Return a count of four characters at most, like ``86k``."""
    for least, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= least:
            return f"{number // least}{unit}"
    return str(number)


def _cell_of(occurrence: Occurrence, states: Mapping[int, str], zone: ZoneInfo) -> Cell:
    look = _look_of(occurrence, states)
    return Cell(
        due_at=occurrence.due_at,
        look=look,
        told=_told(occurrence, look, zone),
        count=occurrence.count,
        late=occurrence.outcome == Outcome.CAUGHT_UP,
        job_id=occurrence.job_id if occurrence.job_id in states else None,
    )


def _look_of(occurrence: Occurrence, states: Mapping[int, str]) -> str:
    if occurrence.outcome == Outcome.SKIPPED:
        return SKIPPED
    return _BY_STATE.get(states.get(occurrence.job_id or 0, ""), FIRED)


def _told(occurrence: Occurrence, look: str, zone: ZoneInfo) -> str:
    when = written(occurrence.due_at, zone)
    if occurrence.count > 1:
        when = f"{occurrence.count:,} times from {when} to {written(occurrence.until_due_at, zone)}"
    what = outcome_in_words(occurrence.outcome, occurrence.reason)
    return f"{when}: {what}" if look in {SKIPPED, FIRED} else f"{when}: {what}; {LOOKS[look][1]}"


def written(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment on the clock of a zone; with its seconds where it has some."""
    form = "%a %-d %b %Y, %H:%M" if moment.second == 0 else "%a %-d %b %Y, %H:%M:%S"
    return moment.astimezone(zone).strftime(form)


def zone_of(schedule: Schedule) -> ZoneInfo:
    """Return the zone of a schedule; UTC if the machine knows it no more."""
    try:
        return ZoneInfo(schedule.zone)
    except (LookupError, OSError, ValueError):  # the machine's zone database has lost it
        return ZoneInfo("UTC")
