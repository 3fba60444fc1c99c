"""The schedules that jobs come from, as the pages of jobs name them.

The schedules know the jobs and not the other way round, so their admin tells here how one is found.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True, slots=True)
class Origin:
    """A schedule: what it is called, and where its page is."""

    name: str
    url: str


Finder = Callable[[Collection[str]], Mapping[str, Origin]]
"""From the public ids of schedules to those of them that still are there."""
DueFinder = Callable[[int], datetime | None]
"""From the number of a job to the time that its schedule submitted it for."""


def _search_page(schedule_ids: Collection[str]) -> dict[str, Origin]:
    try:
        page = reverse("admin:schedules_schedule_changelist")
    except NoReverseMatch:
        page = ""
    return {public_id: Origin(f"{public_id[:14]}…", page and f"{page}?q={public_id}") for public_id in schedule_ids}


def _unknown_due_time(job_id: int) -> datetime | None:
    del job_id
    return None


_finders: list[Finder] = [_search_page]
_due_finders: list[DueFinder] = [_unknown_due_time]


def tell_origins(find: Finder, find_due: DueFinder) -> None:
    """Find schedules, and the due times of their jobs, this way from now on."""
    _finders[:] = [find]
    _due_finders[:] = [find_due]


def origins_of(schedule_ids: Collection[str]) -> Mapping[str, Origin]:
    """Return the schedules of these public ids; those that are gone are missing."""
    return _finders[0](schedule_ids) if schedule_ids else {}


def due_time_of(job_id: int) -> datetime | None:
    """Return the time that its schedule submitted a job for, None if no schedule did or it is not known any more."""
    return _due_finders[0](job_id)
