"""The rounds of the clock: what it does how often, each a bounded batch and harmless to do twice."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, connection

from jobs import canary, leftovers, memory, rollup
from jobs import retention as jobs_retention
from jobs import sweep as jobs_sweep
from pirunner.lifesign import tick as show_tick
from schedules import beat_edits, firing, standing, stepped, systemd
from schedules import retention as schedules_retention
from webhooks import retention as webhooks_retention
from webhooks import sweep as webhooks_sweep
from webhooks.relay import sweep as relay_sweep

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One duty: ``every`` so many seconds; ``needs_trust`` if it may only be done while leases can be trusted.

    With ``more`` it is done again after so many seconds when there was something to do, as there may be more.
    """

    run: Callable[[datetime], int]
    every: float = 0.0
    more: float | None = None
    needs_trust: bool = False


SWEEPS = (
    Sweep(run=beat_edits.honour),
    Sweep(run=standing.keep, every=float("inf")),
    Sweep(run=firing.fire_due),
    Sweep(run=firing.fire_silent),
    Sweep(run=systemd.put_right, every=float("inf")),
    Sweep(run=systemd.keep_up, every=10),
    Sweep(run=jobs_sweep.take_back_expired, needs_trust=True),
    Sweep(run=jobs_sweep.promote_due),
    Sweep(run=jobs_sweep.ring_unheard),
    Sweep(run=webhooks_sweep.ring_due),
    Sweep(run=relay_sweep.ring_due),
    Sweep(run=webhooks_sweep.give_up_overdue, every=60, more=10, needs_trust=True),
    Sweep(run=jobs_sweep.forget_keys, every=60),
    Sweep(run=rollup.roll_up, every=5, more=1),
    Sweep(run=rollup.prune_hours, every=3_600, more=10, needs_trust=True),
    Sweep(run=canary.watch, every=10),
    Sweep(run=jobs_retention.prune_jobs, every=60, more=10, needs_trust=True),
    Sweep(run=webhooks_retention.prune_events, every=60, more=10, needs_trust=True),
    Sweep(run=webhooks_retention.prune_deliveries, every=60, more=10, needs_trust=True),
    Sweep(run=relay_sweep.prune_notices, every=60, more=10, needs_trust=True),
    Sweep(run=memory.prune_kept, every=3600, more=10),
    Sweep(run=leftovers.remove, every=60),
    Sweep(run=stepped.mend, every=10),
    Sweep(run=schedules_retention.prune_occurrences, every=60, more=10, needs_trust=True),
    Sweep(run=schedules_retention.prune_deleted, every=60, more=1),
    Sweep(run=jobs_retention.correct_tally, every=86_400),
)


AFTER_FAILURE = 10.0


class Rounds:
    """Does each duty when its time has come."""

    def __init__(self, sweeps: tuple[Sweep, ...] = SWEEPS) -> None:
        self._due = dict.fromkeys(sweeps, float("-inf"))

    def go(self, *, now: datetime, steady: float, trust_leases: bool) -> bool:
        """Go one round; a duty that the database refuses is left to the next round. Returns whether none was.

        ``now`` is the time of day, ``steady`` the monotonic clock in seconds.
        """
        refused = False
        for sweep, due in self._due.items():
            if steady < due or (sweep.needs_trust and not trust_leases):
                continue
            # Each sweep may wait a little for the database; the supervisor shall see that the clock turns.
            show_tick()
            try:
                done = sweep.run(now)
            except DatabaseError as error:
                log.warning("%s could not be done in this round: %s", sweep.run.__name__, error)
                connection.close()
                refused = True
            except Exception:
                # A fault of ours in one duty must not end the clock, and with it all the others.
                log.exception("%s failed; it is tried again in %g s.", sweep.run.__name__, AFTER_FAILURE)
                self._due[sweep] = steady + AFTER_FAILURE
            else:
                self._due[sweep] = steady + (sweep.more if done and sweep.more is not None else sweep.every)
        return not refused
