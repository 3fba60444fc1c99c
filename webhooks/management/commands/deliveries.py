"""`manage.py deliveries`: callbacks in a terminal: list, show, replay, try a receiver."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pirunner.errors import InvalidPayload, NotFound
from pirunner.tables import Column, lines_of_table, printable
from webhooks.egress import EgressError
from webhooks.listing import DeliveryFilter, attempts_of, get_delivery, list_deliveries
from webhooks.models import Delivery
from webhooks.queries import range_of, read_host, read_id, read_state
from webhooks.replay import count_range, replay_deliveries, replay_range
from webhooks.serializers import read_delivery, read_delivery_whole, read_trial
from webhooks.trial import send_test

STATES = tuple(Delivery.State.values)
COLUMNS = ("id", "event", "jobId", "host", "state", "attempts", "lastStatus", "nextAttemptAt")
ATTEMPT_COLUMNS = ("n", "at", "ms", "status", "error", "detail")


class Command(BaseCommand):
    """Look at callbacks, and send them again."""

    help = "Lists, shows and replays callbacks, and sends a test to a receiver."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done."""
        parser.set_defaults(state=None, host=None, job=None, limit=50, json=False)
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        listing = actions.add_parser("list", help="the newest first (what is done without an action)")
        listing.add_argument("--state", choices=STATES)
        listing.add_argument("--host", help="as in agent.example or 192.168.1.20:9999")
        listing.add_argument("--job", help="the id of a job")
        listing.add_argument("--limit", type=int, default=50)
        showing = actions.add_parser("show", help="one, with its attempts and its body")
        showing.add_argument("id")
        replaying = actions.add_parser("replay", help="send again: these, or all that fit")
        replaying.add_argument("ids", nargs="*", metavar="id")
        replaying.add_argument("--state", choices=STATES)
        replaying.add_argument("--host")
        replaying.add_argument("--since", help="the earliest event, as in 2030-03-10T13:30:00+05:30")
        replaying.add_argument("--until", help="events before this moment")
        replaying.add_argument("--dry-run", action="store_true", help="only count them")
        trying = actions.add_parser("test", help="send a signed webhook.test; exit code 1 if it is not taken")
        trying.add_argument("url")
        for each in (listing, showing, replaying, trying):
            each.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_: Any, action: str | None, **options: Any) -> None:
        """Do it; raises CommandError with a sentence."""
        try:
            getattr(self, f"_{action or 'list'}")(**options)
        except (NotFound, ValueError) as error:
            raise CommandError(str(error)) from None
        except InvalidPayload as error:
            raise CommandError(" ".join(fault.message for fault in error.faults)) from None

    def _list(self, *, state: str | None, host: str | None, job: str | None, limit: int, **options: Any) -> None:
        wanted = DeliveryFilter(
            state=None if state is None else read_state(state),
            host=None if host is None else read_host(host),
            job_id=None if job is None else read_id(job),
        )
        rows = [read_delivery(row) for row in list_deliveries(wanted, limit=max(1, limit)).deliveries]
        if options["json"]:
            self._print({"deliveries": rows})
        else:
            self._table(COLUMNS, rows)

    def _show(self, *, id: str, **options: Any) -> None:  # noqa: A002  (the argument's name)
        row = get_delivery(id)
        shown = read_delivery_whole(row, attempts_of(row))
        if options["json"]:
            self._print(shown)
            return
        for name in (*COLUMNS, "url", "eventId", "lastError", "createdAt", "deliveredAt"):
            self.stdout.write(f"{name:<14} {printable(shown[name])}")
        self.stdout.write(f"\n{printable(shown['body'])}\n")
        self._table(ATTEMPT_COLUMNS, shown["attemptLog"])

    def _replay(self, *, ids: Sequence[str], dry_run: bool, **options: Any) -> None:
        fields = {name: options[name] for name in ("state", "host", "since", "until") if options[name] is not None}
        if bool(ids) == bool(fields):
            raise CommandError("Name deliveries by their ids, or a range by --state and what narrows it.")
        if ids:
            rows = [get_delivery(each).pk for each in ids]
            count = len(rows) if dry_run else replay_deliveries(rows)
        else:
            wanted = range_of(fields)
            count = count_range(wanted) if dry_run else _replay_all(fields)
        told = f"{count} would be replayed." if dry_run else f"{count} replayed."
        self._print({"replayed": 0 if dry_run else count, "found": count}) if options["json"] else self.stdout.write(
            told
        )

    def _test(self, *, url: str, **options: Any) -> None:
        try:
            said = read_trial(send_test(url))
        except EgressError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self._print(said)
        else:
            outcome = f"{said['status']}" if said["status"] else f"{said['error']}: {said['detail']}"
            self.stdout.write(f"{outcome}, after {said['ms']} ms")
            self.stdout.write(printable(said["body"]))
        if not said["delivered"]:
            raise CommandError("The receiver did not take it.", returncode=1)

    def _print(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, indent=2))

    def _table(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        for line in lines_of_table(
            [Column(name) for name in columns], [[row[name] for name in columns] for row in rows]
        ):
            self.stdout.write(line)


def _replay_all(fields: Mapping[str, str]) -> int:
    replayed = replay_range(range_of(fields))
    count = replayed.count
    while replayed.rest is not None:
        replayed = replay_range(replayed.rest)
        count += replayed.count
    return count
