"""Outages: after a stop that was none of the owner's, one ``runner.recovered`` event tells what happened.

While it leads, the clock touches a file once a minute, and removes it when it is stopped as it should be. A clock
that finds the file knows when its predecessor was last seen. It reports after one lease, when all that the dead
workers held has been taken back.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import transaction

from jobs.events import RECOVERED
from jobs.outage import called_about_recovery, interrupted_jobs, overdue_jobs
from pirunner.times import iso
from webhooks.ecmascript_json import dumps
from webhooks.services import NewEvent, record_events, ring_deliveries

log = logging.getLogger(__name__)

TOUCH_SECONDS = 60.0
SETTLE_SECONDS = 20.0
"""One lease and a little more: then nothing is held any longer by whoever died."""
SHORTEST = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A time without a clock, and the jobs that became due in it."""

    since: datetime
    until: datetime
    late: tuple[int, ...]


class OutageWatch:
    """Notes that the clock is there, and reports the time in which none was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._touch_at = float("-inf")
        self._report_at = 0.0
        self._outage: Outage | None = None

    def begin(self, *, now: datetime, steady: float) -> None:
        """Take over: if the clock before was not stopped as it should be, there is an outage to report.

        Call it before the first round: what became due meanwhile can be told from what is delayed only now.
        """
        since = self._last_seen()
        if since is not None and now - since >= SHORTEST:
            self._outage = Outage(since=since, until=now, late=tuple(overdue_jobs(since, now)))
            self._report_at = steady + SETTLE_SECONDS

    def go(self, *, steady: float) -> None:
        """Do what is due: touch the file, report. ``steady`` is the monotonic clock in seconds."""
        if steady >= self._touch_at:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            self._touch_at = steady + TOUCH_SECONDS
        if self._outage is not None and steady >= self._report_at:
            report(self._outage)
            self._outage = None

    def end(self) -> None:
        """Note that this stop is wanted."""
        self._path.unlink(missing_ok=True)

    def _last_seen(self) -> datetime | None:
        try:
            return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None


def report(outage: Outage) -> None:
    """Record one event about an outage, and call back those whose jobs it hurt and who asked for it."""
    taken_back = interrupted_jobs(outage.until)
    event_id = f"evt_{secrets.token_hex(12)}"
    seconds = round((outage.until - outage.since).total_seconds())
    body = {
        "eventId": event_id,
        "from": iso(outage.since),
        "to": iso(outage.until),
        "seconds": seconds,
        "takenBack": [str(job_id) for job_id in taken_back],
        "late": [str(job_id) for job_id in outage.late],
    }
    urls = called_about_recovery([*taken_back, *outage.late])
    event = NewEvent(
        job_id=0, kind=RECOVERED, event_id=event_id, at=outage.until, text=dumps(body), more_urls=tuple(urls)
    )
    with transaction.atomic():
        delivery_ids = record_events([event])
    ring_deliveries(delivery_ids)
    log.warning("pirunner was away for %d s: %d jobs taken back, %d late.", seconds, len(taken_back), len(outage.late))
