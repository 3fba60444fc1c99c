"""`manage.py job`: one job in a terminal: show, follow, cancel, retry, delete."""

import sys
from argparse import ArgumentParser
from functools import partial
from typing import Any

from jobs import results, selectors
from jobs.digest import LINES
from jobs.models import Job
from jobs.selectors import get_job
from jobs.serializers import read_job_whole, read_line
from jobs.spending import spent_of_job
from jobs.steering import cancel_job, delete_job, retry_job
from jobs.terminal import line_of_log, lines_of_job, status_of
from jobs.waiting import exit_code_of, wait_for_job, watch_job
from pirunner.commands import OwnerCommand, acting_user, owners_zone
from pirunner.doorbell import doorbell
from pirunner.progress import FootLine

MOST_LINES = 100_000
RING_SECONDS = 3.0


class Command(OwnerCommand):
    """Show a job, follow it, or steer it."""

    help = "Shows a job; or follows it to its end, prints its log, cancels, retries or deletes it."
    examples = """\
  manage.py job 12                    everything about job 12
  manage.py job 12 --follow           its log and progress until it ends; exit code 1 if it does not complete
  manage.py job 12 --log              its log, whole
  manage.py job 12 --json             as GET /jobs/12 answers
  manage.py job 12 --cancel           stop it, also while it runs
  manage.py job 12 --retry --follow   run it again, and watch
  manage.py job 12 --delete           remove it, with its log and its files"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("id", help="the number of the job")
        steering = parser.add_mutually_exclusive_group()
        steering.add_argument("--cancel", action="store_true", help="stop it")
        steering.add_argument("--retry", action="store_true", help="run it again from its first attempt")
        steering.add_argument("--delete", action="store_true", help="remove it, with its log and its files")
        parser.add_argument("--follow", action="store_true", help="show log and progress until it ends")
        parser.add_argument("--log", action="store_true", help="print its log")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it; ends with 1 if there is no such job, or if it was followed and did not complete."""
        job = get_job(options["id"])
        if options["delete"]:
            delete_job(job.pk)
            self._say({"ok": True, "id": str(job.pk), "removed": True}, f"Job {job.pk} is deleted.", options)
            return
        told = self._steer(job, options)
        if options["follow"]:
            self._follow(job.pk, options)
        elif options["log"]:
            self._print_log(job.pk, as_json=options["json"])
        elif options["json"]:
            self.print_json(_whole(get_job(options["id"])))
        elif told:
            self.stdout.write(told)
        else:
            self.print_lines(lines_of_job(_whole(job), job, owners_zone(), width=self.width))

    def _steer(self, job: Job, options: dict[str, Any]) -> str:
        """Cancel or retry; return a sentence that says what was done, "" for nothing."""
        if options["cancel"]:
            steered = cancel_job(job.pk, by=acting_user())
            asked = "its worker was asked to stop it" if steered.state == "active" else "it is cancelled"
            told = f"Job {job.pk}: {asked}."
        elif options["retry"]:
            retry_job(job.pk, by=acting_user())
            told = f"Job {job.pk} waits for a new attempt."
        else:
            return ""
        doorbell.drain(RING_SECONDS)
        return told

    def _follow(self, job_id: int, options: dict[str, Any]) -> None:
        if options["json"]:
            ended = wait_for_job(job_id)
            self.print_json(_whole(get_job(str(job_id))))
        else:
            foot = FootLine(self.stdout, self.width, live=self.is_terminal)
            ended = watch_job(job_id, foot, owners_zone())
            self.stdout.write(status_of(ended))
        if code := exit_code_of(ended):
            sys.exit(code)

    def _print_log(self, job_id: int, *, as_json: bool) -> None:
        lines = selectors.lines_of_job(job_id, after=0, limit=MOST_LINES)
        if as_json:
            self.print_json({"lines": [read_line(line) for line in lines]})
        else:
            self.print_lines(list(map(partial(line_of_log, zone=owners_zone()), lines)))

    def _say(self, answer: dict[str, Any], sentence: str, options: dict[str, Any]) -> None:
        if options["json"]:
            self.print_json(answer)
        else:
            self.stdout.write(sentence)


def _whole(job: Job) -> dict[str, Any]:
    runs = results.history(job.pk, job.run)
    artifacts = selectors.artifacts_of_job(job.pk)
    return read_job_whole(
        job,
        runs=runs,
        artifacts=artifacts,
        last_lines=selectors.last_lines_of_job(job.pk, LINES),
        spent=spent_of_job(job.pk),
    )
