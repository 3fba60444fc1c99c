"""`dashboard`: what the panels of the front page cost, with few and with very many ended jobs behind them."""

import tempfile
from pathlib import Path

from tests.bench import machine
from tests.bench.children import result_of
from tests.bench.figures import median
from tests.bench.plan import Plan
from tests.bench.sandbox import private_redis, sandbox
from tests.bench.tables import Cell, show

_PART = ("-m", "tests.bench.parts.dashboard")

Costs = dict[str, float]


def run(plan: Plan) -> None:
    """Fill a database step by step, draw each panel at each size, and print the table."""
    rounds = [_measure(plan.ended_jobs) for _ in range(plan.rounds)]
    show(
        "dashboard: time in ms to read and draw a panel, by the number of ended jobs",
        ("", *(f"{size:,}" for size in plan.ended_jobs), "last to first"),
        [_row(name, rounds) for name in rounds[0][0]],
        "In one process, with a month of hourly figures of 12 job types. Aim: flat, and under 100 ms.",
        machine.load(),
    )


def _row(name: str, rounds: list[list[Costs]]) -> list[Cell]:
    costs = [median([sizes[place][name] for sizes in rounds]) for place in range(len(rounds[0]))]
    return [name, *costs, f"{costs[-1] / costs[0]:.2f}"]


def _measure(sizes: tuple[int, ...]) -> list[Costs]:
    """Return what each panel costs, in ms by its name, for each size."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, private_redis() as broker_url:
        environment = sandbox(Path(folder), broker_url)
        costs: list[Costs] = result_of(*_PART, *map(str, sizes), environment=environment)
        return costs
