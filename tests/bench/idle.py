"""`idle`: what a stack costs that has nothing to do: processor time, and bytes written to the disk."""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.bench.figures import median
from tests.bench.plan import Plan
from tests.bench.tables import Cell, show
from tests.stack import Stack, wait_for

SETTLE_SECONDS = 10.0
_NAMES = ("up", "api", "worker", "io", "clock", "redis")

Cost = tuple[float, float]


def run(plan: Plan) -> None:
    """Let a stack idle, each round anew, and print the table."""
    rounds = [_measure(plan.idle_seconds) for _ in range(plan.rounds)]
    rows: list[list[Cell]] = [
        [name, *(median([each[name][kind] for each in rounds if name in each]) for kind in (0, 1))]
        for name in _NAMES
        if any(name in each for each in rounds)
    ]
    rows.append(
        ["in all", *(median([sum(cost[kind] for cost in each.values()) for each in rounds]) for kind in (0, 1))]
    )
    show(
        f"idle: {plan.idle_seconds:g} s with nothing to do",
        ("", "% of one core", "kB written an hour"),
        rows,
        "Each with all its children; written is what reached the disk's layer (write_bytes of proc(5)).",
        "Aims: under 2 % of one core, under 1,000 kB an hour.",
    )


def _measure(seconds: float) -> dict[str, Cost]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Stack(Path(folder)) as stack:
        wait_for(lambda: stack.request("GET", "/health").status == 200, 60)
        time.sleep(SETTLE_SECONDS)
        pids = stack.pids()
        before, began = _take(pids), time.monotonic()
        time.sleep(seconds)
        after, passed = _take(pids), time.monotonic() - began
        return {
            name: ((after[name][0] - cpu) / passed * 100, (after[name][1] - written) / passed * 3600 / 1000)
            for name, (cpu, written) in before.items()
        }


def _take(pids: Mapping[str, int]) -> dict[str, Cost]:
    return {name: _family(pid, alone=name == "up") for name, pid in pids.items()}


def _family(pid: int, *, alone: bool) -> Cost:
    """Return the seconds of processor time and the bytes written so far by a process and its children."""
    process = psutil.Process(pid)
    members = [process] if alone else [process, *process.children(recursive=True)]
    times = [member.cpu_times() for member in members]
    return sum(each.user + each.system for each in times), sum(
        float(member.io_counters().write_bytes) for member in members
    )
