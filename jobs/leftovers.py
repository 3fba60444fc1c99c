"""Leftovers: folders of jobs that no longer exist, because a crash came between the commit and the deletion.

``DATA_DIR`` is walked through a few entries at a time, over and over. A folder goes only if it looks like one of ours
and its job is older than the newest there is: in a new and empty database every folder would seem left over.
"""

import logging
import os
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Max

from jobs.artifacts import delete_folder, is_folder_of_job
from jobs.models import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

LOOKS = 200
"""Entries that are looked at in one go."""


class Walk:
    """A walk through ``DATA_DIR`` that goes on where it stopped, and begins anew after the end."""

    def __init__(self) -> None:
        self._entries: Iterator[os.DirEntry[str]] | None = None

    def next_entries(self) -> list[Path]:
        """Return the next ``LOOKS`` entries, fewer at the end; none if the folder cannot be read."""
        try:
            if self._entries is None:
                self._entries = os.scandir(settings.DATA_DIR)
            entries = [Path(entry.path) for entry in islice(self._entries, LOOKS)]
        except OSError as error:
            log.debug("The folder of the artifacts cannot be looked through: %s", error)
            entries = []
        if len(entries) < LOOKS:
            self._entries = None
        return entries


_walk = Walk()


def remove(now: datetime) -> int:
    """Delete what the next entries of ``DATA_DIR`` hold for jobs that no longer exist; return how many folders."""
    del now
    return remove_among(_walk.next_entries())


def remove_among(entries: list[Path]) -> int:
    """Delete those of the folders whose jobs no longer exist; return how many."""
    job_ids = leftovers(entries)
    for job_id in job_ids:
        log.warning("The files of job %d were left over; they are deleted.", job_id)
        delete_folder(job_id)
    return len(job_ids)


def leftovers(entries: list[Path]) -> list[int]:
    """Return the ids of the jobs that these folders belonged to and that no longer exist."""
    job_ids = {int(entry.name) for entry in entries if is_folder_of_job(entry)}
    if not job_ids:
        return []
    # The folders were read first: a job that has one has had its row for longer.
    newest = Job.objects.aggregate(newest=Max("pk"))["newest"] or 0
    existing = set(Job.objects.filter(pk__in=job_ids).values_list("pk", flat=True))
    return sorted(job_id for job_id in job_ids - existing if job_id < newest)
