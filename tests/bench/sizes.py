"""What something costs with few and with very many ended jobs behind it: one table for each such benchmark."""

import tempfile
from pathlib import Path

from tests.bench import machine
from tests.bench.children import result_of
from tests.bench.figures import median
from tests.bench.plan import Plan
from tests.bench.sandbox import private_redis, sandbox
from tests.bench.tables import Cell, show

Costs = dict[str, float]


def show_by_size(part: str, title: str, note: str, plan: Plan) -> None:
    """Have ``tests.bench.parts.<part>`` fill a database step by step and measure at each size; print the table."""
    rounds = [_measure(part, plan.ended_jobs) for _ in range(plan.rounds)]
    show(
        title,
        ("", *(f"{size:,}" for size in plan.ended_jobs), "last to first"),
        [_row(name, rounds) for name in rounds[0][0]],
        note,
        machine.load(),
    )


def _row(name: str, rounds: list[list[Costs]]) -> list[Cell]:
    costs = [median([sizes[place][name] for sizes in rounds]) for place in range(len(rounds[0]))]
    return [name, *costs, f"{costs[-1] / costs[0]:.2f}"]


def _measure(part: str, sizes: tuple[int, ...]) -> list[Costs]:
    """Return what each thing costs, in ms by its name, for each size."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, private_redis() as broker_url:
        environment = sandbox(Path(folder), broker_url)
        costs: list[Costs] = result_of("-m", f"tests.bench.parts.{part}", *map(str, sizes), environment=environment)
        return costs
