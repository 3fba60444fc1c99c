"""Running jobs: what a worker's child process does when it hears a ring."""

import logging
import os
import random
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from jobs import results
from jobs.catalog import find, validate_input
from jobs.claims import CHAIN_LENGTH, Claimer
from jobs.context import RunContext
from jobs.contract import JobType
from jobs.endings import Ending, attempt_failed, cancelled, completed, given_back
from jobs.errors import DoNotRetry, JobCancelled
from jobs.lifecycle import end_many, start_many
from jobs.models import Job
from jobs.processes import instance_of
from jobs.runs import Claim
from jobs.sweep import ring_held_up
from jobs.time_limit import time_limit
from pirunner.doorbell import Ring, doorbell
from pirunner.logs import bound

log = logging.getLogger(__name__)

CHAIN_SECONDS = 2.0
"""How long one ring may keep a child busy with light jobs before other types get their turn."""

Outcome = TypeVar("Outcome")


def answer_ring(job_type_name: str, *, worker: str) -> list[str]:
    """Run what is most urgent of a type until nothing waits (light types) or one job has ended (others).

    Returns the ids of the runs, ``<job id>:<run>``; none if others were faster, which is nothing unusual.
    """
    job_type = find(job_type_name)
    if job_type is None:
        log.warning("Job type %s is not allowed here; its jobs wait for a worker that has it.", job_type_name)
        return []
    runs: list[str] = []
    until = time.monotonic() + CHAIN_SECONDS
    while claims := _claim(job_type, worker):
        if len(claims) == CHAIN_LENGTH or time.monotonic() > until:
            _pass_on(job_type)
        runs += [claim.run_id for claim in claims]
        _end([_run_in_time(job_type, claim, until) for claim in claims])
        ring_held_up(job_type, [claim.concurrency_key for claim in claims])
        if not job_type.light or time.monotonic() > until:
            break
    return runs


def _claim(job_type: JobType, worker: str) -> list[Claim]:
    return start_many(job_type=job_type, claimer=_claimer(worker))


def _claimer(worker: str) -> Claimer:
    return Claimer(worker=worker, instance=instance_of(os.getppid()), child_pid=os.getpid())


def _pass_on(job_type: JobType) -> None:
    """Ring for whoever is free: there is more than this child will do."""
    doorbell.ring([Ring(results.task_name(job_type.name), 0, job_type.queue, shared=True)])


def _run_in_time(job_type: JobType, claim: Claim, until: float) -> Ending:
    """Run a job, or give it back if those chained before it took all the time there was."""
    if claim.chained > 1 and time.monotonic() > until:
        return given_back(claim, at=timezone.now(), reason="The jobs before it took too long.")
    with bound(job_id=claim.job_id, run=claim.run, attempt=claim.attempt, job_type=claim.job_type):
        return _run(job_type, claim)


def _run(job_type: JobType, claim: Claim) -> Ending:
    context = RunContext(claim)
    try:
        with closing(context), time_limit(job_type.time_limit):
            result = job_type.run(context, _input(job_type, claim))
        if context.saw_cancel:
            return cancelled(claim, at=timezone.now(), by=_who_cancelled(claim))
        return completed(
            claim,
            result,
            at=timezone.now(),
            artifacts=context.artifacts,
            kept=context.kept,
            checkpointed=context.checkpointed,
            may_be_quiet=job_type.may_be_quiet,
        )
    except JobCancelled:
        return cancelled(claim, at=timezone.now(), by=_who_cancelled(claim))
    except SystemExit as error:
        if _is_end_of_worker(error):
            raise  # the parent gives the run back
        return _failed(job_type, claim, error)
    except Exception as error:  # noqa: BLE001  (what a handler raises ends the attempt, not the worker)
        return _failed(job_type, claim, error)


def _failed(job_type: JobType, claim: Claim, error: BaseException) -> Ending:
    return attempt_failed(
        claim,
        error,
        at=timezone.now(),
        backoff_seconds=job_type.backoff_seconds,
        jitter=random.uniform(-1, 1),  # noqa: S311  (spreads retries, protects nothing)
        traceback=traceback.format_exc(),
    )


def _is_end_of_worker(error: SystemExit) -> bool:
    """Return whether it was a signal that ended this child, which billiard turns into a negative exit code."""
    return isinstance(error.code, int) and error.code < 0


def _who_cancelled(claim: Claim) -> str:
    names = Job.objects.filter(pk=claim.job_id).values_list("cancel_requested_by", flat=True)
    return persistently(names.first) or "its own handler"


def _input(job_type: JobType, claim: Claim) -> Any:
    """Return the input as the handler wants it; it was valid when it was accepted, maybe by an older version."""
    job_input, faults = validate_input(job_type, claim.input)
    if faults:
        raise DoNotRetry("The input no longer fits: " + "; ".join(fault.message for fault in faults))
    return job_input


def _end(endings: list[Ending]) -> None:
    """Record the ends, however long the database is locked; the lease is renewed meanwhile by the parent."""
    effective = {ending.claim.job_id for ending in persistently(lambda: end_many(endings))}
    for ending in endings:
        if ending.claim.job_id not in effective:
            log.warning(
                "Run %s came too late: its lease was over and the job went to another run.",
                ending.claim.run_id,
            )


def persistently(write: Callable[[], Outcome]) -> Outcome:
    """Repeat a write until the database takes it, waiting 0.1 s at first and 2 s at most in between."""
    pause = 0.1
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            log.warning("The database did not take a result (%s); it is kept and tried again.", error)
            connection.close()
            time.sleep(pause)
            pause = min(pause * 2, 2.0)
