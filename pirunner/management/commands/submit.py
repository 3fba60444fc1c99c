"""`manage.py submit`: submits a job or a schedule from a terminal, as `POST /jobs` would take it."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.models import Job
from jobs.serializers import read_job
from jobs.services import Accepted, submit_job
from jobs.terminal import status_of
from jobs.waiting import exit_code_of, wait_for_job, watch_job
from pirunner.access import BOOTSTRAP
from pirunner.commands import FAULTY, OwnerCommand, owners_zone
from pirunner.doorbell import doorbell
from pirunner.progress import FootLine
from pirunner.submitting import body_of
from schedules.selectors import get_schedule
from schedules.submissions import prepare
from schedules.terminal import next_fires

FOR_EVER = float("inf")
RING_SECONDS = 3.0
FIRES = 3


class Command(OwnerCommand):
    """Submit a job, or a schedule."""

    help = "Submits a job, now or later, or a schedule. It needs no running API; 0 means that it is on disk."
    examples = """\
  manage.py submit ping hello=world --wait
  manage.py submit reminder message="Water the plants" --run-at 2030-03-10T13:30:00
  manage.py submit daily-crypto-brief maxItems=5 --cron "0 9 * * 1-5" --tz Europe/Berlin
  manage.py submit reminder message=Stretch --every 2h
  manage.py submit daily-crypto-brief sources:='["https://news.example/feed"]' --wait 60
  manage.py submit ping --input @input.json --key call-ana-1 --json

exit codes:
  0 accepted (with --wait: completed)   1 failed   2 faults, one on each line   3 --wait was over before the job"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return a parser that takes key=value after options, too."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("type", metavar="TYPE", help="a job type")
        parser.add_argument("pairs", nargs="*", metavar="key=value", help="fields of the input; key:=JSON for JSON")
        parser.add_argument("--input", metavar="JSON|@FILE|-", help="the whole input; - reads it from standard input")
        parser.add_argument("--priority", type=int, help="1 (most urgent) to 10; 5 unless given")
        parser.add_argument("--callback-url", metavar="URL", help="who is told of its end")
        parser.add_argument("--key", help="idempotency key: twice under one key is still one job")
        times = parser.add_argument_group("when")
        times.add_argument("--run-at", metavar="TIME", help="once, or the first time: ISO 8601, read in --tz")
        times.add_argument("--every", metavar="SPAN", help="again and again: 90s, 15m, 2h, 1d")
        times.add_argument("--cron", help='again and again: "0 9 * * 1-5"')
        times.add_argument("--tz", metavar="ZONE", help="time zone, as in Europe/Berlin; the variable TZ unless given")
        times.add_argument("--backend", choices=["celery", "systemd"], help="whose timer rings for a schedule")
        parser.add_argument(
            "--wait", nargs="?", const=FOR_EVER, type=float, metavar="SECONDS", help="follow the job to its end"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        """Submit; ends with 1 if it was waited for and failed, 2 for faults, and 3 if time was over."""
        body = body_of(options)
        recurs = bool(options["every"] or options["cron"] or options["backend"] == "systemd")
        if recurs and options["wait"] is not None:
            raise CommandError("--wait follows a job; a schedule has no end to wait for.", returncode=FAULTY)
        prepared = prepare(body, owner=BOOTSTRAP, header=options["key"])
        accepted = prepared if isinstance(prepared, Accepted) else submit_job(prepared)
        doorbell.drain(RING_SECONDS)
        for warning in accepted.answer.get("warnings", ()):
            self.stderr.write(f"Note: {warning}")
        if recurs:
            self._tell_schedule(accepted, as_json=options["json"])
        elif options["wait"] is None:
            self._tell_job(accepted, as_json=options["json"])
        else:
            self._wait(accepted, options)

    def _tell_job(self, accepted: Accepted, *, as_json: bool) -> None:
        if as_json:
            self.print_json(accepted.as_dict())
            return
        before = ", as it was before under this key" if accepted.deduplicated else ""
        later = " for later" if accepted.answer.get("scheduled") else ""
        self.stdout.write(f"Job {accepted.answer['jobId']} is accepted{later}{before}.")

    def _tell_schedule(self, accepted: Accepted, *, as_json: bool) -> None:
        schedule = get_schedule(str(accepted.answer["jobId"]))
        fires = next_fires(schedule, FIRES)
        if as_json:
            self.print_json({**accepted.as_dict(), "nextFires": fires})
            return
        self.stdout.write(f"Schedule {schedule.public_id} is accepted.")
        for fire in fires:
            self.stdout.write(f"  next {fire['local']}  ({fire['utc']})")

    def _wait(self, accepted: Accepted, options: dict[str, Any]) -> None:
        job_id = int(accepted.answer["jobId"])
        seconds = None if options["wait"] == FOR_EVER else options["wait"]
        if options["json"]:
            ended = wait_for_job(job_id, seconds=seconds)
            self.print_json(read_job(Job.objects.get(pk=job_id)))
        else:
            self._tell_job(accepted, as_json=False)
            foot = FootLine(self.stdout, self.width, live=self.is_terminal)
            ended = watch_job(job_id, foot, owners_zone(), seconds=seconds)
            self.stdout.write(status_of(ended))
        if code := exit_code_of(ended):
            sys.exit(code)
