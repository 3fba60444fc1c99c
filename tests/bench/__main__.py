"""`python -m tests.bench`: measures pirunner on this machine and prints tables."""

import argparse
import dataclasses
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from tests.bench import (
    accept,
    callbacks,
    dashboard,
    drain,
    end_to_end,
    growth,
    idle,
    job_types,
    machine,
    memory,
    profiles,
    schedules,
    startup,
)
from tests.bench.plan import FULL, QUICK, Plan

BENCHMARKS: dict[str, Callable[[Plan], None]] = {
    "startup": startup.run,
    "memory": memory.run,
    "idle": idle.run,
    "accept": accept.run,
    "drain": drain.run,
    "end_to_end": end_to_end.run,
    "callbacks": callbacks.run,
    "profile": profiles.run,
    "growth": growth.run,
    "dashboard": dashboard.run,
    "schedules": schedules.run,
    "job_types": job_types.run,
}


def main() -> None:
    """Run the benchmarks that were asked for."""
    options = _options()
    plan = QUICK if options.quick else FULL
    if options.full:
        plan = dataclasses.replace(plan, ended_jobs=(*plan.ended_jobs, 1_000_000))
    if options.rounds:
        plan = dataclasses.replace(plan, rounds=options.rounds)
    # A benchmark that is ended leaves nothing behind: its blocks are left as by an exception.
    signal.signal(signal.SIGTERM, _leave)
    # What a benchmark needs it says itself; the shell's own settings would only mislead it.
    for name in ("BROKER_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    print(machine.describe(Path(tempfile.gettempdir())))
    print(f"{plan.rounds} round(s); every figure is their median")
    for name in options.only or BENCHMARKS:
        neighbours = machine.Neighbours()
        BENCHMARKS[name](plan)
        print(f"  {neighbours}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes and one round: does it work at all")
    parser.add_argument("--full", action="store_true", help="also with a million jobs, which takes minutes")
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), help="one benchmark (may be repeated)")
    parser.add_argument("--rounds", type=int, help="how often everything is measured")
    return parser.parse_args()


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
