"""`growth`: what the calls cost that everybody makes, with few and with very many ended jobs behind them."""

from tests.bench.plan import Plan
from tests.bench.sizes import show_by_size


def run(plan: Plan) -> None:
    """Measure each call at each size, and print the table."""
    title = "growth: processor time in ms by the number of ended jobs"
    note = "In one process, without the network and the wait for the disk. A search looks at 10,000 jobs. Aim: flat."
    show_by_size("growth", title, note, plan)
