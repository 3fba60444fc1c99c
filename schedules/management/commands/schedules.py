"""`manage.py schedules`: schedules in a terminal: list, show, preview, pause, resume, run, delete, occurrences."""

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from pirunner.commands import FAULTY, OwnerCommand, acting_user, owners_zone
from pirunner.doorbell import doorbell
from pirunner.wording import read_span, when
from schedules import terminal
from schedules.firing import run_now
from schedules.models import Schedule
from schedules.previews import preview_of
from schedules.selectors import (
    ScheduleFilter,
    audit_of,
    get_schedule,
    latest_occurrences,
    list_schedules,
    occurrences_of,
)
from schedules.serializers import description_of, read_as_job, read_occurrence, read_schedule
from schedules.services import delete_schedule, pause_schedule, resume_schedule

RING_SECONDS = 3.0
PAGE = 200


class Command(OwnerCommand):
    """Look at schedules, and steer them."""

    help = "Lists, shows, previews, pauses, resumes, runs and deletes schedules, by id or name."
    examples = """\
  manage.py schedules                                     all of them
  manage.py schedules show daily-crypto-brief
  manage.py schedules preview --cron "0 9 * * 1-5" --tz Europe/Berlin
  manage.py schedules preview daily-crypto-brief --count 10
  manage.py schedules pause daily-crypto-brief
  manage.py schedules run daily-crypto-brief              a job of it now
  manage.py schedules occurrences daily-crypto-brief      what became of each due time
Make one with: manage.py submit TYPE --cron ... (or --every ...)"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done."""
        parser.set_defaults(action="list", type=None, limit=PAGE, json=False)
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        listing = actions.add_parser("list", help="all of them, oldest first (what is done without an action)")
        listing.add_argument("--type", help="of one job type")
        listing.add_argument("--limit", type=int, default=PAGE)
        previewing = actions.add_parser("preview", help="the next times of a schedule, or of one that is not made yet")
        previewing.add_argument("reference", nargs="?", metavar="ID|NAME")
        previewing.add_argument("--cron")
        previewing.add_argument("--every", metavar="SPAN", help="90s, 15m, 2h, 1d")
        previewing.add_argument("--run-at", metavar="TIME")
        previewing.add_argument("--tz", metavar="ZONE")
        previewing.add_argument("--count", type=int, default=5)
        listing.add_argument("--json", action="store_true", help="print JSON")
        previewing.add_argument("--json", action="store_true", help="print JSON")
        for name, told in _ACTIONS.items():
            action = actions.add_parser(name, help=told)
            action.add_argument("reference", metavar="ID|NAME")
            action.add_argument("--json", action="store_true", help="print JSON")
            if name == "occurrences":
                action.add_argument("--limit", type=int, default=20)

    def handle(self, *_: Any, action: str | None, **options: Any) -> None:
        """Do it; raises what ``schedules.services`` raises."""
        getattr(self, f"_{action or 'list'}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        rows = _all(options["type"], max(1, options["limit"]))
        latest = latest_occurrences(rows)
        if options["json"]:
            self.print_json({"schedules": [read_schedule(each, latest.get(each.pk)) for each in rows]})
        elif rows:
            now, zone = timezone.now(), owners_zone()
            shown = [terminal.row(each, latest.get(each.pk), now, zone) for each in rows]
            self.print_table(terminal.columns(self.paint), shown)
        else:
            self.stdout.write('There is no schedule. Try: manage.py submit ping --cron "0 9 * * *"')

    def _show(self, options: dict[str, Any]) -> None:
        schedule = get_schedule(options["reference"])
        latest = latest_occurrences([schedule]).get(schedule.pk)
        if options["json"]:
            self.print_json(read_as_job(schedule, latest))
        else:
            audit = audit_of(schedule, limit=10)
            self.print_lines(terminal.lines_of_schedule(schedule, latest, audit, owners_zone()))

    def _preview(self, options: dict[str, Any]) -> None:
        preview = _preview_of(options)
        if options["json"]:
            self.print_json(preview)
            return
        self.stdout.write(preview["description"])
        for fire in preview["fires"]:
            self.stdout.write(f"  {fire['local']}  ({fire['utc']})")

    def _pause(self, options: dict[str, Any]) -> None:
        schedule = pause_schedule(get_schedule(options["reference"]).pk, by=acting_user())
        self._say(schedule, "is paused", options)

    def _resume(self, options: dict[str, Any]) -> None:
        schedule = resume_schedule(get_schedule(options["reference"]).pk, by=acting_user())
        upcoming = when(schedule.next_due_at, owners_zone())
        self._say(schedule, f"is due again {upcoming}" if upcoming else "is resumed, and over", options)

    def _run(self, options: dict[str, Any]) -> None:
        schedule = get_schedule(options["reference"])
        job = run_now(schedule.pk, by=acting_user())
        doorbell.drain(RING_SECONDS)
        if options["json"]:
            self.print_json({"jobId": str(job.pk), "scheduleId": schedule.public_id})
        else:
            self.stdout.write(f"Job {job.pk} of {schedule} is accepted. Watch it: manage.py job {job.pk} --follow")

    def _delete(self, options: dict[str, Any]) -> None:
        schedule = delete_schedule(get_schedule(options["reference"]).pk, by=acting_user(), in_person=True)
        kept = "; no program makes it again by its name" if schedule.name else ""
        self._say(schedule, f"is deleted, its jobs stay{kept}", options, removed=True)

    def _occurrences(self, options: dict[str, Any]) -> None:
        schedule = get_schedule(options["reference"])
        found = occurrences_of(schedule, before=None, limit=max(1, options["limit"]))
        if options["json"]:
            self.print_json({"occurrences": [read_occurrence(each) for each in found]})
        elif found:
            columns = [
                replace(column, paint=self.paint) if column.title == "outcome" else column
                for column in terminal.OCCURRENCE_COLUMNS
            ]
            self.print_table(columns, [terminal.occurrence_row(each, owners_zone()) for each in found])
        else:
            self.stdout.write(f"{schedule} has not been due yet.")

    def _say(self, schedule: Schedule, done: str, options: dict[str, Any], **more: Any) -> None:
        doorbell.drain(RING_SECONDS)
        if options["json"]:
            self.print_json({"ok": True, "id": schedule.public_id, "enabled": schedule.enabled, **more})
        else:
            self.stdout.write(f"{schedule} {done}.")


_ACTIONS = {
    "show": "one, with its next times and who did what to it",
    "pause": "let it fire no more",
    "resume": "let it fire again",
    "run": "submit a job of it now",
    "delete": "remove it; its jobs stay",
    "occurrences": "its due times and what became of them, newest first",
}


def _all(job_type: str | None, limit: int) -> list[Schedule]:
    rows: list[Schedule] = []
    after: int | None = 0
    while after is not None and len(rows) < limit:
        wanted = ScheduleFilter(limit=min(PAGE, limit - len(rows)), after=after, job_type=job_type)
        page, after = list_schedules(wanted)
        rows += page
    return rows


def _preview_of(options: dict[str, Any]) -> dict[str, Any]:
    if options["reference"]:
        schedule = get_schedule(options["reference"])
        fires = terminal.next_fires(schedule, max(1, options["count"]))
        return {"fires": fires, "description": description_of(schedule)}
    return preview_of({"schedule": _written(options), "count": options["count"]}, now=timezone.now())


def _written(options: dict[str, Any]) -> dict[str, Any]:
    try:
        every = None if options["every"] is None else read_span(options["every"])
    except ValueError as error:
        raise CommandError(f"--every: {error}", returncode=FAULTY) from None
    fields = {"cron": options["cron"], "everySeconds": every, "runAt": options["run_at"], "tz": options["tz"]}
    written = {name: value for name, value in fields.items() if value is not None}
    if not written:
        raise CommandError("Name a schedule, or say --cron, --every or --run-at.", returncode=FAULTY)
    return written
