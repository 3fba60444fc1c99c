"""`dashboard`: what the panels of the front page cost, with few and with very many ended jobs behind them."""

from tests.bench.plan import Plan
from tests.bench.sizes import show_by_size


def run(plan: Plan) -> None:
    """Draw each panel at each size, and print the table."""
    title = "dashboard: time in ms to read and draw a panel, by the number of ended jobs"
    note = "In one process, with a month of hourly figures of 12 job types. Aim: flat, and under 100 ms."
    show_by_size("dashboard", title, note, plan)
