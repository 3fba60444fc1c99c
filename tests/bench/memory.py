"""`memory`: what each process takes, shared pages counted in parts (PSS), the broker included."""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.bench.figures import median
from tests.bench.loading import load_with_pings
from tests.bench.plan import Plan
from tests.bench.tables import Cell, show
from tests.bench.targets import bearer, is_drained
from tests.stack import Stack, wait_for

SETTLE_SECONDS = 3.0
_NAMES = ("up", "api", "worker", "io", "clock", "flower", "redis")
_HEAD = ("PSS in MB", "after start", "after jobs", "with Flower: after start", "after jobs")

Measured = dict[str, float]


def run(plan: Plan) -> None:
    """Start a stack without and one with Flower, each round anew, and print the table."""
    columns: list[list[Measured]] = [[], [], [], []]
    for _ in range(plan.rounds):
        for place, flower in ((0, "off"), (2, "on")):
            after_start, after_jobs = _measure(plan, flower)
            columns[place].append(after_start)
            columns[place + 1].append(after_jobs)
    rows = [[name, *(_median_of(name, rounds) for rounds in columns)] for name in _NAMES]
    total: list[Cell] = ["in all", *(median([sum(each.values()) for each in rounds]) for rounds in columns)]
    show(
        f"memory: a whole stack, after its start and after {plan.memory_jobs} pings",
        _HEAD,
        [*rows, total],
        "Each with all its children. Aim: 300 MB in all without Flower.",
    )


def _median_of(name: str, rounds: list[Measured]) -> float | None:
    values = [each[name] for each in rounds if name in each]
    return median(values) if values else None


def _measure(plan: Plan, flower: str) -> tuple[Measured, Measured]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Stack(Path(folder), FLOWER=flower) as stack:
        wait_for(lambda: stack.request("GET", "/health").status == 200, 60)
        time.sleep(SETTLE_SECONDS)
        after_start = _take(stack.pids())
        load_with_pings(
            port=stack.port,
            path="/jobs",
            headers=bearer(stack.token),
            connections=plan.connections,
            requests=plan.memory_jobs,
        )
        wait_for(lambda: is_drained(stack), 60)
        time.sleep(SETTLE_SECONDS)
        return after_start, _take(stack.pids())


def _take(pids: Mapping[str, int]) -> Measured:
    """Return the PSS in MB of each process with all its children; `up` counts for itself alone."""
    return {name: _family(pid) if name != "up" else _pss(pid) for name, pid in pids.items()}


def _family(pid: int) -> float:
    process = psutil.Process(pid)
    return sum(_pss(member.pid) for member in [process, *process.children(recursive=True)])


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
