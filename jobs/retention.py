"""Retention: ended jobs go when they are too old, or too many; with their files, log, history and artifacts.

The clock removes a few at a time, so that no job ever waits long for the database. The files go after the commit;
what a crash leaves between the two is found by ``jobs.leftovers``.
"""

import heapq
import logging
from collections import Counter
from datetime import datetime
from itertools import accumulate, islice
from operator import itemgetter

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet

from jobs import results, tally
from jobs.artifacts import delete_folder
from jobs.models import Job, LogLine
from jobs.states import FINAL_STATES, State
from pirunner.times import days_before

log = logging.getLogger(__name__)

BATCH = 200
"""How many jobs go at a time."""
LINES = 10_000
"""How many log lines go with them at most, but for a single job that has more."""


def prune_jobs(now: datetime) -> int:
    """Remove a batch of the ended jobs that are no longer kept, oldest first; return how many."""
    job_ids = _affordable(_next_to_go(now))
    if not job_ids:
        return 0
    with transaction.atomic():
        removed = _remove(job_ids)
    for job_id in removed:
        delete_folder(job_id)
    return len(removed)


def count_prunable(now: datetime) -> int:
    """Return how many ended jobs are no longer kept."""
    return max(sum(_too_old(state, now).count() for state in FINAL_STATES), _too_many(), 0)


def correct_tally(now: datetime) -> int:
    """Count the ended jobs, and put the tally right if it is wrong; return by how many it was."""
    del now
    errors = tally.repair()
    for state, error in errors.items():
        log.warning("The tally of %s jobs was wrong by %d; it has been put right.", state, error)
    return sum(map(abs, errors.values()))


def _next_to_go(now: datetime) -> list[int]:
    too_old = [job_id for state in FINAL_STATES for job_id, _ in _too_old(state, now)[:BATCH]]
    if too_old:
        return too_old[:BATCH]
    surplus = min(_too_many(), BATCH)
    if surplus <= 0:
        return []
    by_age = heapq.merge(*(_ended(state)[:surplus] for state in FINAL_STATES), key=itemgetter(1))
    return [job_id for job_id, _ in islice(by_age, surplus)]


def _ended(state: State) -> QuerySet[Job, tuple[int, datetime | None]]:
    """Return ids and ends of the jobs that ended so, oldest first; the index ``job_ended`` holds that order."""
    ended = Job.objects.filter(state=state, finished_at__isnull=False)
    return ended.order_by("finished_at").values_list("pk", "finished_at")


def _too_old(state: State, now: datetime) -> QuerySet[Job, tuple[int, datetime | None]]:
    days = {
        State.COMPLETED: settings.RETENTION_COMPLETED_DAYS,
        State.FAILED: settings.RETENTION_FAILED_DAYS,
        State.CANCELLED: settings.RETENTION_CANCELLED_DAYS,
    }
    return _ended(state).filter(finished_at__lt=days_before(now, days[state]))


def _too_many() -> int:
    return sum(tally.ended_jobs().values()) - settings.RETENTION_MAX_JOBS


def _affordable(job_ids: list[int]) -> list[int]:
    """Return the first of these jobs, as many as have ``LINES`` log lines together."""
    of_jobs = LogLine.objects.filter(job_id__in=job_ids).order_by()
    lines = dict(of_jobs.values_list("job_id").annotate(Count("pk")))
    sums = accumulate(lines.get(job_id, 0) for job_id in job_ids)
    fitting = sum(1 for total in sums if total <= LINES)
    return job_ids[: max(1, fitting)]


def _remove(job_ids: list[int]) -> list[int]:
    """Remove those of the jobs that are still ended (and nobody holds) in the current transaction; return their ids."""
    ended = Job.objects.select_for_update(skip_locked=True).filter(pk__in=job_ids, state__in=FINAL_STATES)
    rows = list(ended.order_by("pk").values_list("pk", "state", "run"))
    removed = [job_id for job_id, _, _ in rows]
    results.delete_history({job_id: run for job_id, _, run in rows})
    Job.objects.filter(pk__in=removed).only("pk").delete()
    tally.record({State(state): -count for state, count in Counter(state for _, state, _ in rows).items()})
    return removed
