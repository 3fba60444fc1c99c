"""The rollup: ended jobs by hour, type and state, with how long they took, so that nobody has to count rows.

The clock reads the events after a cursor, adds what they tell to the hours and to the rows of all time, and moves the
cursor in the same transaction. The cursor is moved by compare-and-set, so each event counts once whoever reads it
twice. Events become visible in the order of their numbers, so none is overlooked.

What is counted are ends: a job that failed, was retried by a person and completed, ended twice. An end whose job was
retried or removed before the clock came by (it comes every few seconds) is counted without its duration. Events are
pruned after days, and rolled up after seconds: only those of a time without a clock longer than
``EVENT_RETENTION_DAYS`` could be missed. An installation that is older than its rollup begins with the events it has.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Substr

from jobs.models import Job, JobHour, RollupCursor, RunCount
from jobs.rollup_reading import HEAD, RETRIED, TAKEN_BACK, Told, read_event
from pirunner.bulk import unsynced
from webhooks.models import Event

BATCH = 1_000
"""How many events are read at a time."""
BOUNDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Upper bounds of the buckets in seconds, inclusive; one more bucket holds what took longer."""
KEPT = timedelta(days=30)
"""How long the hours are kept; the rows of all time stay."""
PRUNED = 500
"""How many rows of hours go at a time."""


class Key(NamedTuple):
    """Which row: ``hour`` None is all time."""

    hour: datetime | None
    job_type: str
    state: str


@dataclass(slots=True)
class Sums:
    """What is added to a row."""

    ended: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    def add(self, seconds: float | None) -> None:
        """Count an end, and how long its run took if that is known."""
        self.ended += 1
        if seconds is not None:
            self.seconds += seconds
            self.buckets[bucket_of(seconds)] += 1


class Seen(NamedTuple):
    """An event that tells the rollup something."""

    at: datetime
    job_id: int
    told: Told


def bucket_of(seconds: float) -> int:
    """Return the place of the bucket of a duration."""
    return bisect_left(BOUNDS, seconds)


def hour_of(moment: datetime) -> datetime:
    """Return when the hour of a moment begins, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def roll_up(now: datetime) -> int:
    """Add the next batch of events to the figures; return how many told something. Nothing to add: nothing is written.

    A power cut may undo the last additions, and the cursor with them: then they are done again.
    """
    del now
    cursor = RollupCursor.objects.filter(pk=RollupCursor.ONLY).values_list("seq", flat=True).first()
    after, seen, events = _next_events(cursor or 0)
    # A few events that tell nothing are looked at again: cheaper than a write. A full batch must be left behind.
    if not seen and events < BATCH:
        return 0
    with unsynced(), transaction.atomic():
        if not _move_cursor(cursor, after):
            return 0  # somebody else has just added them
        _add_ends(seen)
        _add_runs(seen)
    return len(seen)


def prune_hours(now: datetime) -> int:
    """Remove a batch of the hours that are no longer kept; return how many rows."""
    old = JobHour.objects.filter(hour__lt=hour_of(now - KEPT)).order_by("hour").values_list("pk", flat=True)[:PRUNED]
    removed, _ = JobHour.objects.filter(pk__in=list(old)).delete() if old else (0, {})
    return removed


def _next_events(cursor: int) -> tuple[int, list[Seen], int]:
    """Return the number of the last event of the next batch, those that tell something, and how many were read."""
    rows = list(
        Event.objects.filter(seq__gt=cursor)
        .order_by("seq")
        .annotate(head=Substr("payload", 1, HEAD))
        .values_list("seq", "kind", "at", "job_id", "head")[:BATCH]
    )
    told = ((at, job_id, read_event(kind, head)) for _, kind, at, job_id, head in rows)
    seen = [Seen(at, job_id, tells) for at, job_id, tells in told if tells is not None]
    return rows[-1][0] if rows else cursor, seen, len(rows)


def _move_cursor(cursor: int | None, after: int) -> bool:
    """Move the cursor if it is still where it was; on PostgreSQL this waits for another who is moving it."""
    if cursor is None:
        _, created = RollupCursor.objects.get_or_create(pk=RollupCursor.ONLY, defaults={"seq": after})
        return created
    return RollupCursor.objects.filter(pk=RollupCursor.ONLY, seq=cursor).update(seq=after) == 1


def _add_ends(seen: Sequence[Seen]) -> None:
    sums = sums_of(seen, _durations_of(seen))
    hours = {key.hour for key in sums}
    rows = {
        Key(row.hour, row.job_type, row.state): row
        for row in JobHour.objects.filter(Q(hour__in=hours) | Q(hour__isnull=True))
    }
    for key, added in sums.items():
        row = rows.get(key) or JobHour(**key._asdict(), buckets=Sums().buckets)
        row.ended += added.ended
        row.seconds += added.seconds
        row.buckets = [have + more for have, more in zip(row.buckets, added.buckets, strict=True)]
        row.save()


def sums_of(seen: Iterable[Seen], durations: Mapping[tuple[int, datetime], float]) -> dict[Key, Sums]:
    """Return what the ends among these events add to which rows.

    ``durations`` has the seconds of runs whose end does not tell them itself, by job and end.
    """
    sums: dict[Key, Sums] = {}
    for at, job_id, told in seen:
        if told.state is None:
            continue
        seconds = durations.get((job_id, at)) if told.seconds is None and told.had_run else told.seconds
        for hour in (hour_of(at), None):
            sums.setdefault(Key(hour, told.job_type, told.state.value), Sums()).add(seconds)
    return sums


def _durations_of(seen: Iterable[Seen]) -> dict[tuple[int, datetime], float]:
    """Return how long the runs took whose ends do not tell it, as long as their jobs are as they were then."""
    asked = [job_id for _, job_id, told in seen if told.had_run and told.seconds is None]
    rows = Job.objects.filter(pk__in=asked).values_list("pk", "started_at", "finished_at") if asked else ()
    return {
        (pk, finished_at): max(0.0, (finished_at - started_at).total_seconds())
        for pk, started_at, finished_at in rows
        if started_at and finished_at
    }


def _add_runs(seen: Iterable[Seen]) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for _, _, told in seen:
        counts[told.job_type, RETRIED] += told.retried
        counts[told.job_type, TAKEN_BACK] += told.taken_back
    rows = {(row.job_type, row.what): row for row in RunCount.objects.all()}
    for (job_type, what), count in (+counts).items():
        row = rows.get((job_type, what)) or RunCount(job_type=job_type, what=what)
        row.count += count
        row.save()
