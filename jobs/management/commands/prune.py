"""`manage.py prune`: removes by hand what the clock would remove a little at a time."""

from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from jobs import leftovers, retention, sweep
from jobs.leftovers import Walk
from pirunner.tables import Column, lines_of_table
from webhooks import retention as webhooks_retention
from webhooks.relay import sweep as relay_sweep


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that is not kept for ever: how to count what may go, and how to remove a batch of it."""

    name: str
    count: Callable[[datetime], int]
    prune: Callable[[datetime], int]


THINGS = (
    Thing("jobs", retention.count_prunable, retention.prune_jobs),
    Thing("events", webhooks_retention.count_prunable_events, webhooks_retention.prune_events),
    Thing("deliveries", webhooks_retention.count_prunable_deliveries, webhooks_retention.prune_deliveries),
    Thing("notices", relay_sweep.count_prunable_notices, relay_sweep.prune_notices),
    Thing("idempotency keys", sweep.count_expired_keys, sweep.forget_keys),
)


class Command(BaseCommand):
    """Removes ended jobs, events, deliveries, notices and keys that are no longer kept."""

    help = "Removes a batch of the jobs, events, deliveries, notices and idempotency keys that are no longer kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--all", action="store_true", help="batch after batch, until there is nothing left")
        parser.add_argument("--dry-run", action="store_true", help="only count what would go")

    def handle(self, *_: Any, **options: Any) -> None:
        """Remove, and print what was there and what is gone."""
        now = timezone.now()
        rows: list[tuple[str, int, int]] = []
        for thing in THINGS:
            there = thing.count(now)
            removed = 0 if options["dry_run"] else _prune(thing, now, everything=options["all"])
            rows.append((thing.name, there, removed))
        rows.append(("folders without a job", *_folders(dry_run=options["dry_run"])))
        self._print(rows)
        if not options["dry_run"] and (wrong := retention.correct_tally(now)):
            self.stdout.write(f"The tally of ended jobs was wrong by {wrong}; it has been put right.")

    def _print(self, rows: list[tuple[str, int, int]]) -> None:
        columns = [Column("what"), Column("to go", right=True), Column("removed", right=True)]
        for line in lines_of_table(columns, [(name, f"{there:,}", f"{removed:,}") for name, there, removed in rows]):
            self.stdout.write(line)


def _prune(thing: Thing, now: datetime, *, everything: bool) -> int:
    removed = total = thing.prune(now)
    while everything and removed:
        removed = thing.prune(now)
        total += removed
    return total


def _folders(*, dry_run: bool) -> tuple[int, int]:
    """Look through the whole of ``DATA_DIR``; return how many folders were left over, and how many are removed."""
    there = removed = 0
    walk = Walk()
    entries = walk.next_entries()
    while entries:
        there += len(leftovers.leftovers(entries))
        removed += 0 if dry_run else leftovers.remove_among(entries)
        entries = walk.next_entries() if len(entries) == leftovers.LOOKS else []
    return there, removed
