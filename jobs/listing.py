"""The pages of ``GET /jobs``: newest first, each found by an index, however many jobs there are.

A page begins below the last id of the one before (a keyset cursor), so that a deep page costs what the first does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Max, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Length

from jobs.models import Job, JobQuerySet
from jobs.states import FINAL_STATES, State

LARGEST_ID = 10**18
CONTENTS = ("input", "result", "metadata")
ITEM_LENGTH = 64 * 1024
PAGE_LENGTH = 1024 * 1024
"""How many characters of contents a page carries: 200 jobs of a megabyte each would take a small machine's memory."""
SEARCHED = 10_000
"""How many job numbers, counted from the newest, a search looks at: a text is in no index."""


_SIZE = Length("input") + Coalesce(Length("result"), 0) + Coalesce(Length("metadata"), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a page shows: at most ``limit``, below the id ``before``, and only those that fit all that is set.

    ``since`` is the earliest acceptance; ``text`` is an id, or part of the type, the summary or the failure; ``only``
    is whose jobs are shown, None for everybody's.
    """

    limit: int
    before: int = LARGEST_ID
    state: State | None = None
    job_type: str | None = None
    schedule_id: str | None = None
    since: datetime | None = None
    text: str | None = None
    only: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, newest first, and the id below which the next page begins; None if there is none.

    ``left_out`` are those whose input, result and metadata are too large for a list: they are None in it.
    """

    jobs: Sequence[Job] = ()
    next_before: int | None = None
    left_out: frozenset[int] = frozenset()


def list_jobs(wanted: JobFilter) -> Page:
    """Return a page of jobs."""
    rows = list(jobs_below(wanted).defer(*CONTENTS).annotate(size=_SIZE)[: wanted.limit + 1])
    # Ids grow with time, so the first job that is too old ends the list. One that was accepted while the machine's
    # clock stood wrong may be in between, and is only left out.
    ends = len(rows) <= wanted.limit or not _is_new_enough(rows[-1], wanted.since)
    page = rows[: wanted.limit]
    jobs = [job for job in page if _is_new_enough(job, wanted.since)]
    return Page(jobs=jobs, next_before=None if ends else page[-1].pk, left_out=_fill_in(jobs))


def _fill_in(jobs: Sequence[Any]) -> frozenset[int]:
    """Load the contents of the jobs as long as they are small, and return the ids of the others."""
    small: set[int] = set()
    room = PAGE_LENGTH
    for job in jobs:
        if job.size <= min(room, ITEM_LENGTH):
            small.add(job.pk)
            room -= job.size
    contents = {row[0]: row[1:] for row in Job.objects.filter(pk__in=small).values_list("pk", *CONTENTS)}
    for job in jobs:
        for name, value in zip(CONTENTS, contents.get(job.pk, (None,) * len(CONTENTS)), strict=True):
            setattr(job, name, value)
    return frozenset(job.pk for job in jobs if job.pk not in small)


def jobs_below(wanted: JobFilter) -> JobQuerySet:
    """Return the jobs of a filter below its cursor, of whatever age, newest first."""
    jobs = Job.objects.filter(pk__lt=wanted.before).order_by("-pk")
    if wanted.text is not None:
        jobs = jobs.filter(_holds(wanted.text), pk__gt=_newest_id() - SEARCHED)
    if wanted.schedule_id is not None:
        return _narrowed(jobs.of_schedule(wanted.schedule_id), wanted, owner=wanted.only)
    if wanted.only is not None:
        return _narrowed(jobs.of_owner(wanted.only), wanted)
    if wanted.state is not None:
        jobs = jobs.filter(state=wanted.state)
    if wanted.job_type is None:
        return jobs
    if wanted.state is None:
        return jobs.filter(job_type=wanted.job_type)
    if wanted.state in FINAL_STATES:
        return jobs.filter(job_type=wanted.job_type, finished_at__isnull=False)
    # Few jobs have not ended, and many of their type may have: an expression keeps the index of the type out of it.
    return jobs.filter(_unindexed("job_type", wanted.job_type))


def _narrowed(jobs: JobQuerySet, wanted: JobFilter, *, owner: str | None = None) -> JobQuerySet:
    """Narrow the jobs of a schedule or an owner: their own index is the one to use, whatever else is asked for."""
    if owner is not None:
        jobs = jobs.filter(_unindexed("owner", owner))
    if wanted.state is not None:
        jobs = jobs.filter(_unindexed("state", wanted.state.value))
    if wanted.job_type is not None:
        jobs = jobs.filter(_unindexed("job_type", wanted.job_type))
    return jobs


def _unindexed(column: str, value: str) -> RawSQL:
    """Return that a column has a value, as an expression that keeps the index of the column out of it."""
    return RawSQL(f"(jobs_job.{column} || '') = %s", [value], models.BooleanField())  # noqa: S611  (columns of ours)


def _is_new_enough(job: Job, since: datetime | None) -> bool:
    return since is None or job.created_at >= since


def _newest_id() -> int:
    newest: dict[str, Any] = Job.objects.aggregate(newest=Max("pk"))
    return newest["newest"] or 0


def _holds(text: str) -> Q:
    fits = Q(job_type__icontains=text) | Q(summary__icontains=text) | Q(error__icontains=text)
    return fits | Q(pk=int(text)) if text.isascii() and text.isdigit() and len(text) <= 18 else fits
