"""Job types that live through every turn a job's life can take, installed as any package with job types would be."""

import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from jobs.contract import Context, JobType
from jobs.errors import DoNotRetry, JobFailed, RetryAfter


class Seconds(msgspec.Struct):
    """How long to take."""

    seconds: float = 0.0


class Failures(msgspec.Struct):
    """How many attempts fail before one succeeds, and in which way: ``plain``, ``final`` or ``later``."""

    failures: int = 1
    way: str = "plain"


class Mebibytes(msgspec.Struct):
    """How much memory or disk to take; with ``gate`` only at the first run, once a file of that name is there."""

    mebibytes: int = 0
    gate: str = ""


def doze(ctx: Context, job_input: Seconds) -> dict[str, Any]:
    """Sleep as a handler should."""
    ctx.sleep(job_input.seconds)
    return {"summary": "slept well"}


def sleep_deaf(_ctx: Context, job_input: Seconds) -> dict[str, Any]:
    """Sleep without ever looking whether somebody cancelled."""
    time.sleep(job_input.seconds)
    return {"summary": "slept deep"}


def never_back(_ctx: Context, job_input: Seconds) -> dict[str, Any]:
    """Catch the time limit and go on."""
    until = time.monotonic() + job_input.seconds
    while time.monotonic() < until:
        try:
            time.sleep(0.2)
        except Exception:  # noqa: BLE001, S112  (a handler that misbehaves)
            continue
    return {"summary": "came back"}


def fail(ctx: Context, job_input: Failures) -> dict[str, Any]:
    """Fail for some attempts."""
    if ctx.attempt > job_input.failures:
        return {"summary": f"succeeded at attempt {ctx.attempt}"}
    match job_input.way:
        case "final":
            raise DoNotRetry("it would fail again")
        case "later":
            raise RetryAfter(1.0, "come back in a second")
    raise JobFailed("not this time")


def leave(_ctx: Context, _job_input: Seconds) -> dict[str, Any]:
    """Call sys.exit, as a library may."""
    sys.exit(3)


def hog(ctx: Context, job_input: Mebibytes) -> dict[str, Any]:
    """Take memory and keep it for a while."""
    held = bytearray(job_input.mebibytes * 2**20)
    held[::4096] = b"x" * len(held[::4096])
    ctx.sleep(20)
    return {"summary": f"held {len(held)} bytes"}


def swell(ctx: Context, job_input: Mebibytes) -> dict[str, Any]:
    """Take more and more memory until somebody ends it, at the first run; do nothing at the others."""
    held: list[bytes] = []
    while ctx.run == 1 and not Path(job_input.gate).exists():
        time.sleep(0.05)
    while ctx.run == 1 and len(held) < job_input.mebibytes:
        held.append(b"x" * 2**20)
    return {"summary": f"held {len(held)} MiB"}


def write_file(ctx: Context, job_input: Mebibytes) -> dict[str, Any]:
    """Write an artifact."""
    artifact = ctx.artifact("blank.bin", bytes(job_input.mebibytes * 2**20), "application/octet-stream")
    return {"summary": f"wrote {artifact.size} bytes", "artifactPath": artifact.path}


def talk(ctx: Context, job_input: Failures) -> dict[str, Any]:
    """Write log lines and progress."""
    for number in range(job_input.failures):
        ctx.log(f"line {number}")
        ctx.progress(100 * number / job_input.failures, f"at {number}")
    return {"summary": "said all"}


DOZE = JobType(name="doze", description="Sleeps, and wakes when cancelled.", input_model=Seconds, run=doze)
DEAF = JobType(name="deaf", description="Sleeps, and hears nothing.", input_model=Seconds, run=sleep_deaf)
MARATHON = JobType(name="marathon", description="Takes long.", input_model=Seconds, run=doze, long=True)
SHORT = JobType(
    name="short", description="Has a second.", input_model=Seconds, run=sleep_deaf, time_limit=1, attempts=1
)
STUBBORN = JobType(
    name="stubborn",
    description="Ignores its time limit.",
    input_model=Seconds,
    run=never_back,
    time_limit=1,
    attempts=1,
)
FAIL = JobType(name="fail", description="Fails.", input_model=Failures, run=fail, backoff_seconds=0.2)
LEAVE = JobType(name="leave", description="Exits.", input_model=Seconds, run=leave, attempts=1)
HOG = JobType(name="hog", description="Takes memory.", input_model=Mebibytes, run=hog, memory_limit=200, attempts=1)
SWELL = JobType(
    name="swell", description="Takes all memory.", input_model=Mebibytes, run=swell, memory_limit=4096, attempts=2
)
FILE = JobType(
    name="file", description="Writes a file.", input_model=Mebibytes, run=write_file, attempts=9, backoff_seconds=1.0
)
TALK = JobType(name="talk", description="Talks.", input_model=Failures, run=talk)
