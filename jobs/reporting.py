"""What a running job tells while it runs: progress and log lines, written in batches from a thread of the child.

The handler never waits for the database: it leaves its words here, and twice a second they are written together,
without waiting for the disk. What was left at the end of the run is written before the run is ended.
"""

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from jobs.endings import printable
from jobs.events import new_event
from jobs.models import Job, LogLine
from jobs.payloads import progress_payload
from jobs.runs import Claim
from pirunner.bulk import insert_many, unsynced
from pirunner.turns import take_turns
from webhooks.services import record_events, ring_deliveries

log = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
MOST_LINES = 5_000
LINE_LENGTH = 4_000
MESSAGE_LENGTH = 500
LEVELS = frozenset({"debug", "info", "warning", "error"})


@dataclass
class Unwritten:
    """What has been said since the last write."""

    lines: list[LogLine] = field(default_factory=list)
    progress: tuple[int, str] | None = None


class Reporter:
    """Takes what one run says, and writes it."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._lock = threading.Lock()
        self._unwritten = Unwritten()
        self._lines = 0
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def progress(self, percent: float, message: str) -> None:
        """Take the latest progress; only the last before a write counts."""
        whole = int(min(max(percent, 0.0), 100.0))
        with self._lock:
            self._unwritten.progress = (whole, printable(message, MESSAGE_LENGTH))
        self._write_soon()

    def log(self, message: str, level: str) -> None:
        """Take a line; beyond ``MOST_LINES`` of a run they are dropped, and the last one says so."""
        self._lines += 1
        if self._lines > MOST_LINES:
            return
        if self._lines == MOST_LINES:
            message, level = f"The log is full: a run may write {MOST_LINES} lines.", "warning"
        line = LogLine(
            job_id=self._claim.job_id,
            run=self._claim.run,
            at=timezone.now(),
            level=level if level in LEVELS else "info",
            message=printable(message, LINE_LENGTH),
        )
        with self._lock:
            self._unwritten.lines.append(line)
        self._write_soon()

    def close(self) -> None:
        """Stop, and write what is left."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        with suppress(DatabaseError):  # the job's end matters more than its last words
            self._write()

    def _write_soon(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                self._write()
            except DatabaseError as error:
                log.warning("What run %s says could not be written yet: %s", self._claim.run_id, error)
                connection.close()
        connection.close()

    def _write(self) -> None:
        with self._lock:
            unwritten, self._unwritten = self._unwritten, Unwritten()
        if not unwritten.lines and unwritten.progress is None:
            return
        delivery_ids: list[int] = []
        try:
            with unsynced(), transaction.atomic():
                take_turns("log lines")  # so that their numbers become visible in order: readers keep cursors
                insert_many(unwritten.lines)
                if unwritten.progress is not None:
                    delivery_ids = _record_progress(self._claim, *unwritten.progress, at=timezone.now())
        except DatabaseError:
            self._put_back(unwritten)
            raise
        ring_deliveries(delivery_ids)

    def _put_back(self, unwritten: Unwritten) -> None:
        with self._lock:
            self._unwritten.lines[:0] = unwritten.lines
            self._unwritten.progress = self._unwritten.progress or unwritten.progress


def _record_progress(claim: Claim, percent: int, message: str, *, at: datetime) -> list[int]:
    held = Job.objects.filter(pk=claim.job_id, token=claim.token)
    if not held.update(progress=percent, status_message=message):
        return []
    payload = progress_payload(claim, percent=percent, message=message)
    return record_events([new_event(claim.subject, payload, at=at)])
