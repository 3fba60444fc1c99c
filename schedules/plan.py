"""What is due: from a recurrence, its rules and the time to the rows that are to be recorded. Pure decisions.

Every due time later than ``covered_until`` and not later than now gets its place in exactly one row: fired, caught
up, or skipped with a reason. Neighbours that are skipped for one reason share a row.
"""

import sys
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schedules.quiet import start_of_quiet
from schedules.recurrence import Recurrence, Run, between, last_between, latest_at_or_before, next_after, run_between
from schedules.rules import Misfire, Outcome, Overlap, Reason, Rules

LATEST = timedelta(seconds=60)
"""How late a due time may be and still be fired as usual, at most."""
LEAST_LATEST = timedelta(seconds=5)
ALL_LIMIT = 100
"""How many missed due times ``misfire: all`` makes up for at once; the earlier ones are skipped."""
CHUNK = 20_000
"""How many missed due times of a cron one plan counts; the next plan goes on."""
QUEUE_LIMIT = 1000
"""How many jobs of a schedule may be open; beyond that nothing is added to them."""

_TICK = timedelta(microseconds=1)
_SPARE = timedelta(days=2)
_QUIET_PARTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Where a schedule stands when it is looked at.

    ``open_jobs`` is how many jobs of it have not ended; ``taken`` are due times after ``covered_until`` that have
    rows already; ``missed_for`` is why nobody looked at it for so long, ``fired_for`` why it is fired by somebody else
    than it should be; ``refused`` says why it cannot fire at all.
    """

    now: datetime
    covered_until: datetime
    open_jobs: int = 0
    taken: AbstractSet[datetime] = frozenset()
    missed_for: Reason = Reason.MISSED
    fired_for: Reason = Reason.NONE
    refused: Reason = Reason.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What becomes of a due time, or of ``count`` neighbours from ``due_at`` to ``until_due_at``."""

    due_at: datetime
    until_due_at: datetime
    count: int = 1
    outcome: Outcome
    reason: Reason = Reason.NONE

    @property
    def fires(self) -> bool:
        """Whether a job is submitted for it."""
        return self.outcome != Outcome.SKIPPED

    def joins(self, earlier: "Row") -> bool:
        """Return whether it is skipped as its neighbour was."""
        return not self.fires and (self.outcome, self.reason) == (earlier.outcome, earlier.reason)


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows to record, up to when they cover the due times, and when the next look is due."""

    rows: list[Row]
    covered_until: datetime
    next_due_at: datetime | None


def make_plan(recurrence: Recurrence, rules: Rules, situation: Situation) -> Plan:
    """Decide about every due time up to now."""
    after, now = situation.covered_until, situation.now
    if now <= after:
        return Plan([], after, next_after(recurrence, after))
    edge = max(after, now - LATEST - _TICK)
    chunk = _first_chunk(recurrence, after, edge)
    if chunk:
        skipped = _skipped(recurrence, after, chunk.last + _TICK, situation.missed_for, situation.taken)
        return Plan(list(skipped), chunk.last, next_after(recurrence, chunk.last))
    recent = between(recurrence, edge, now, CHUNK)
    on_time = [due for due in recent if not _is_missed(recurrence, situation, due)]
    missed_until = on_time[0] - _TICK if on_time else now
    rows: list[Row] = []
    if run_between(recurrence, after, missed_until, 1):
        rows = _decided(_missed_rows(recurrence, rules, situation, missed_until), rules, situation)
    opened = situation.open_jobs + sum(row.fires for row in rows)
    usual = [_row(due, Outcome.FIRED, situation.fired_for) for due in on_time if due not in situation.taken]
    rows += _decided(iter(usual), rules, replace(situation, open_jobs=opened))
    if rules.overlap is Overlap.REPLACE:
        rows = _only_last(rows)
    return Plan(_joined(rows, situation.taken), now, next_after(recurrence, now))


def _first_chunk(recurrence: Recurrence, after: datetime, edge: datetime) -> Run | None:
    """Return the earliest missed due times if they are too many to count at once; they are skipped by every rule.

    What is made up for are later ones: the last ``ALL_LIMIT``, or the latest of a day that is not all quiet.
    """
    chunk = run_between(recurrence, after, edge, CHUNK)
    if chunk is None or chunk.count < CHUNK:
        return None
    later = between(recurrence, chunk.last, edge - _SPARE, ALL_LIMIT)
    return chunk if len(later) == ALL_LIMIT else None


def _is_missed(recurrence: Recurrence, situation: Situation, due: datetime) -> bool:
    """Return whether it is too late for a due time: by a minute, or half a period if that is less (5 s at least).

    For one in a pause it is too late at once.
    """
    if situation.missed_for is Reason.PAUSED:
        return True
    late = situation.now - due
    if late <= LEAST_LATEST:
        return False
    following = next_after(recurrence, due)
    half = (following - due) / 2 if following else LATEST
    return late > min(LATEST, max(LEAST_LATEST, half))


def _missed_rows(recurrence: Recurrence, rules: Rules, situation: Situation, until: datetime) -> Iterator[Row]:
    """Yield what becomes of the missed due times, ascending: some are made up for, those between are skipped."""
    after, reason = situation.covered_until, situation.missed_for
    for due in _to_catch_up(recurrence, rules, after, until):
        yield from _skipped(recurrence, after, due, reason, situation.taken)
        if due not in situation.taken:
            yield _row(due, Outcome.CAUGHT_UP, reason)
        after = due
        if rules.misfire is Misfire.ONCE:  # what comes after the latest loud one is quiet
            reason = Reason.QUIET_HOURS
    yield from _skipped(recurrence, after, until + _TICK, reason, situation.taken)


def _to_catch_up(recurrence: Recurrence, rules: Rules, after: datetime, until: datetime) -> list[datetime]:
    match rules.misfire:
        case Misfire.ALL:
            return last_between(recurrence, after, until, ALL_LIMIT)
        case Misfire.ONCE:
            loud = _latest_loud(recurrence, rules, after, until)
            return [loud] if loud else []
        case _:
            return []


def _latest_loud(recurrence: Recurrence, rules: Rules, after: datetime, until: datetime) -> datetime | None:
    """Return the latest due time of a span that is not within the quiet hours."""
    for _ in range(_QUIET_PARTS):
        due = latest_at_or_before(recurrence, until)
        if due is None or due <= after:
            return None
        if rules.quiet_hours is None or not rules.are_quiet(due):
            return due
        until = start_of_quiet(due, rules.zone, rules.quiet_hours) - _TICK
    return None


def _skipped(
    recurrence: Recurrence, after: datetime, before: datetime, reason: Reason, taken: AbstractSet[datetime]
) -> Iterator[Row]:
    """Yield rows for the due times between two instants, both excluded; those that are taken divide them."""
    for edge in [*sorted(due for due in taken if after < due < before), before]:
        run = run_between(recurrence, after, edge - _TICK, sys.maxsize)
        if run:
            yield Row(
                due_at=run.first,
                until_due_at=run.last,
                count=run.count,
                outcome=Outcome.SKIPPED,
                reason=reason,
            )
        after = edge


def _decided(rows: Iterator[Row], rules: Rules, situation: Situation) -> list[Row]:
    """Return the rows after a look at what keeps each from firing."""
    decided: list[Row] = []
    open_jobs = situation.open_jobs
    for row in rows:
        obstacle = _obstacle(row, rules, situation, open_jobs) if row.fires else Reason.NONE
        decided.append(replace(row, outcome=Outcome.SKIPPED, reason=obstacle) if obstacle else row)
        open_jobs += decided[-1].fires
    return decided


def _obstacle(row: Row, rules: Rules, situation: Situation, open_jobs: int) -> Reason:
    if situation.refused:
        return situation.refused
    late = row.outcome is Outcome.CAUGHT_UP
    if rules.are_quiet(row.due_at) or (late and rules.are_quiet(situation.now)):
        return Reason.QUIET_HOURS
    queues = late and rules.misfire is Misfire.ALL  # each is wanted, one after the other
    if rules.overlap is Overlap.SKIP and open_jobs and not queues:
        return Reason.OVERLAP
    return Reason.QUEUE_FULL if open_jobs >= QUEUE_LIMIT else Reason.NONE


def _only_last(rows: list[Row]) -> list[Row]:
    """Let only the last row fire: what it would replace at once need not run."""
    last = max((number for number, row in enumerate(rows) if row.fires), default=0)
    return [
        replace(row, outcome=Outcome.SKIPPED, reason=Reason.OVERLAP) if row.fires and number < last else row
        for number, row in enumerate(rows)
    ]


def _row(due: datetime, outcome: Outcome, reason: Reason = Reason.NONE) -> Row:
    return Row(due_at=due, until_due_at=due, outcome=outcome, reason=reason)


def _joined(rows: list[Row], taken: AbstractSet[datetime]) -> list[Row]:
    joined: list[Row] = []
    for row in rows:
        divided = joined and any(joined[-1].until_due_at < due < row.due_at for due in taken)
        if joined and not divided and row.joins(joined[-1]):
            joined[-1] = replace(joined[-1], until_due_at=row.until_due_at, count=joined[-1].count + row.count)
        else:
            joined.append(row)
    return joined
