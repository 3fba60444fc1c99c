"""`manage.py jobs`: a list of jobs in a terminal."""

import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from jobs.listing import LARGEST_ID, JobFilter, Page, list_jobs
from jobs.selectors import count_states
from jobs.serializers import read_job
from jobs.states import State
from jobs.terminal import columns, row
from pirunner.commands import FAULTY, OwnerCommand, owners_zone
from pirunner.wording import read_since
from schedules.selectors import find_schedule

MOST_AT_ONCE = 200
CLEAR_SCREEN = "\x1b[H\x1b[2J"


class Command(OwnerCommand):
    """List jobs, newest first."""

    help = "Lists jobs, newest first."
    examples = """\
  manage.py jobs                                 the newest 20
  manage.py jobs --state failed --since 2d       what failed in the last two days
  manage.py jobs --type web-monitor --limit 100
  manage.py jobs --schedule morning-brief        those of a schedule, by its id or name
  manage.py jobs --watch                         again every two seconds, until Ctrl-C
  manage.py jobs --state waiting --json          as GET /jobs answers"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--state", choices=[state.value for state in State])
        parser.add_argument("--type", help="of one job type")
        parser.add_argument("--schedule", help="of one schedule: its id or its name")
        parser.add_argument("--since", help="accepted since then: 2h, 3d, or 2030-03-10T13:30:00")
        parser.add_argument("--text", help="an id, or part of the type, the summary or the failure")
        parser.add_argument("--limit", type=int, default=20, help="at most so many (20 unless given)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--watch", nargs="?", const=2.0, type=float, metavar="SECONDS", help="again and again, until Ctrl-C"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Print the list; raises CommandError for what cannot be asked."""
        if options["watch"] is not None and options["json"]:
            raise CommandError("--watch is for people, --json for programs.", returncode=FAULTY)
        self._show(options)
        while options["watch"] is not None:
            time.sleep(max(0.2, options["watch"]))
            if self.is_terminal:
                self.stdout.write(CLEAR_SCREEN, ending="")
            self._show(options)

    def _show(self, options: dict[str, Any]) -> None:
        now = timezone.now()
        pages = _pages(_filter_of(options), max(1, options["limit"]))
        jobs = [job for page in pages for job in page.jobs]
        if options["json"]:
            self.print_json([read_job(job, left_out=job.pk in page.left_out) for page in pages for job in page.jobs])
        elif jobs:
            self.print_table(columns(self.paint), [row(job, now) for job in jobs])
        else:
            self.stdout.write("No job fits." if any(_narrowing(options)) else _NONE_YET)
        if options["watch"] is not None:
            self.stdout.write("\n" + "  ".join(f"{count} {state}" for state, count in count_states().items()))


_NONE_YET = "There is no job yet. Try: manage.py submit ping hello=world --wait"


def _narrowing(options: dict[str, Any]) -> list[Any]:
    return [options[name] for name in ("state", "type", "schedule", "since", "text")]


def _filter_of(options: dict[str, Any]) -> JobFilter:
    try:
        since = None if options["since"] is None else read_since(options["since"], owners_zone(), timezone.now())
    except ValueError as error:
        raise CommandError(f"--since: {error}", returncode=FAULTY) from None
    return JobFilter(
        limit=MOST_AT_ONCE,
        state=None if options["state"] is None else State(options["state"]),
        job_type=options["type"],
        schedule_id=_schedule_id(options["schedule"]),
        since=since,
        text=options["text"],
    )


def _schedule_id(reference: str | None) -> str | None:
    """Return the id of a schedule that is named; that of one that was deleted is taken as it is."""
    found = find_schedule(reference) if reference else None
    return found.public_id if found else reference


def _pages(wanted: JobFilter, limit: int) -> Sequence[Page]:
    """Return as many pages as hold so many jobs."""
    pages: list[Page] = []
    before: int | None = LARGEST_ID
    while limit > 0 and before is not None:
        page = list_jobs(replace(wanted, before=before, limit=min(limit, MOST_AT_ONCE)))
        pages.append(page)
        limit -= len(page.jobs)
        before = page.next_before
    return pages
