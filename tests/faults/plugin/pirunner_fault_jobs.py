"""Job types that misbehave on demand, installed beside pirunner as any package with job types would be.

Each notes what it does by appending lines ``<job id> <run> start`` and ``<job id> <run> end`` to the file
``input.journal``, so that a test sees effects that no database could have rolled back.
"""

import ctypes
import os
import signal
import time
from datetime import timedelta
from typing import Any

import msgspec

from jobs import canary
from jobs.contract import Context, JobType
from pirunner.up import backoff

if os.environ.get("FAULTS_RESTART_AT_ONCE"):
    # Forty kills in a row would otherwise mostly wait for the supervisor's back-off.
    backoff.LONGEST_DELAY = backoff.FIRST_DELAY


if seconds := os.environ.get("FAULTS_CANARY_SECONDS"):
    # As it is, a deaf worker is noticed after two minutes.
    canary.UNHEARD = timedelta(seconds=float(seconds))


class Input(msgspec.Struct):
    """How long to take, and where to note it."""

    journal: str
    seconds: float = 0.0


def nap(ctx: Context, job_input: Input) -> dict[str, Any]:
    """Sleep."""
    _note(ctx, job_input, "start")
    time.sleep(job_input.seconds)
    _note(ctx, job_input, "end")
    return {"summary": "slept", "run": ctx.run}


def burn(ctx: Context, job_input: Input) -> dict[str, Any]:
    """Take the process down, as a handler does that is out of memory or meets a fault in a C library."""
    _note(ctx, job_input, "start")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL returned")


def spin(ctx: Context, job_input: Input) -> dict[str, Any]:
    """Hold the interpreter's lock: no other thread of this process runs meanwhile."""
    _note(ctx, job_input, "start")
    # PyDLL, unlike CDLL, keeps the lock during the call; a signal ends it early, with the seconds left.
    left = int(job_input.seconds)
    while left:
        left = ctypes.PyDLL(None).sleep(left)
    _note(ctx, job_input, "end")
    return {"summary": "spun", "run": ctx.run}


def _note(ctx: Context, job_input: Input, what: str) -> None:
    descriptor = os.open(job_input.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, f"{ctx.job_id} {ctx.run} {what}\n".encode())
    finally:
        os.close(descriptor)


NAP = JobType(name="nap", description="Sleeps.", input_model=Input, run=nap)
CATNAP = JobType(name="catnap", description="Sleeps for seconds.", input_model=Input, run=nap, time_limit=6.0)
BURN = JobType(name="burn", description="Kills its own process.", input_model=Input, run=burn, attempts=2)
SPIN = JobType(name="spin", description="Holds the interpreter's lock.", input_model=Input, run=spin)
