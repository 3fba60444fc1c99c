"""`schedules`: what many schedules cost the clock, how late many fire at once, and how long it takes to make one."""

import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from tests.bench.figures import median, percentile
from tests.bench.plan import Plan
from tests.bench.tables import Cell, show
from tests.stack import Stack, wait_for

AT_ONCE = 500
ROUNDS_OF_FIRES = 3
BATCH = 500
SETTLE_SECONDS = 3.0
CALLS = 50

Figures = dict[str, float]


def run(plan: Plan) -> None:
    """Make many schedules, each round anew, and print the table."""
    rounds = [_measure(plan.schedules, plan.idle_seconds) for _ in range(plan.rounds)]
    rows: list[list[Cell]] = [[name, median([each[name] for each in rounds])] for name in rounds[0]]
    show(
        f"schedules: {plan.schedules:,} of them, {AT_ONCE} due in the same second",
        ("", "median"),
        rows,
        "Late is from the due time to the row that says it was fired. Aims: late 1,500 ms, save and preview 50 ms.",
    )


def _measure(number: int, idle_seconds: float) -> Figures:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Stack(Path(folder)) as stack:
        wait_for(lambda: stack.request("GET", "/health").status == 200, 60)
        time.sleep(SETTLE_SECONDS)
        clock = psutil.Process(stack.pid_of("clock"))
        small, tick_before = _megabytes(clock), _cpu_share(clock, idle_seconds)
        began = time.monotonic()
        _make_quiet_ones(stack, number - AT_ONCE)
        made = time.monotonic() - began
        time.sleep(SETTLE_SECONDS)
        tick_after = _cpu_share(clock, idle_seconds)
        saves, previews = _calls(stack)
        late, started = _fire_together(stack)
        return {
            "made, per second": (number - AT_ONCE) / made,
            "clock without any, ms of processor a second": tick_before,
            "clock with all, ms of processor a second": tick_after,
            "clock's memory without any, MB": small,
            "clock's memory after it, MB": _megabytes(clock),
            "late p50, ms": percentile(late, 0.5),
            "late p99, ms": percentile(late, 0.99),
            "job started after its due time p50, ms": percentile(started, 0.5),
            "job started after its due time p99, ms": percentile(started, 0.99),
            "save p50, ms": percentile(saves, 0.5),
            "save p99, ms": percentile(saves, 0.99),
            "preview p50, ms": percentile(previews, 0.5),
            "preview p99, ms": percentile(previews, 0.99),
        }


def _make_quiet_ones(stack: Stack, number: int) -> None:
    """Make schedules that are due once a month, at all sorts of times, none of them soon."""
    day = (datetime.now(UTC) + timedelta(days=10)).day
    crons = [f"{n % 60} {n // 60 % 24} {day % 28 + 1} * *" for n in range(number)]
    for first in range(0, number, BATCH):
        bodies = [{"jobType": "ping", "schedule": {"cron": cron}} for cron in crons[first : first + BATCH]]
        answer = stack.request("POST", "/jobs/batch", bodies, timeout=120)
        assert answer.status == 202, answer.text


def _calls(stack: Stack) -> tuple[list[float], list[float]]:
    """Return how long it takes to make a schedule and to preview one, in ms."""
    timing = {"cron": "*/20 9-17 * * 1-5", "tz": "Europe/Berlin"}
    saves = [_time(stack, "/jobs", {"jobType": "ping", "schedule": timing}, 202) for _ in range(CALLS)]
    previews = [_time(stack, "/schedules/preview", {"schedule": timing, "count": 100}, 200) for _ in range(CALLS)]
    return saves, previews


def _time(stack: Stack, path: str, body: Any, status: int) -> float:
    began = time.monotonic()
    answer = stack.request("POST", path, body)
    assert answer.status == status, answer.text
    return (time.monotonic() - began) * 1000


def _fire_together(stack: Stack) -> tuple[list[float], list[float]]:
    """Let many be due in the same second, some times; return how late rows and starts of jobs were, in ms."""
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=15)
    timing = {"everySeconds": 10, "runAt": due.isoformat(), "overlap": "allow"}
    answer = stack.request("POST", "/jobs/batch", [{"jobType": "ping", "schedule": timing}] * AT_ONCE, timeout=120)
    assert answer.status == 202, answer.text
    wanted = AT_ONCE * ROUNDS_OF_FIRES
    wait_for(lambda: len(_rows(stack, _STARTED)) >= wanted, 120, 1.0)
    return _milliseconds(_rows(stack, _FIRED)[:wanted]), _milliseconds(_rows(stack, _STARTED)[:wanted])


_FIRED = "SELECT due_at, recorded_at FROM schedules_occurrence WHERE outcome = 'fired' ORDER BY id"
_STARTED = "SELECT due_at, started_at FROM jobs_job WHERE started_at IS NOT NULL AND schedule_id <> '' ORDER BY id"


def _rows(stack: Stack, sql: str) -> list[tuple[str, str]]:
    path = stack.folder / "data" / "pirunner.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as file:
        rows: list[tuple[str, str]] = file.execute(sql).fetchall()
        return rows


def _milliseconds(rows: list[tuple[str, str]]) -> list[float]:
    spans = [datetime.fromisoformat(later) - datetime.fromisoformat(due) for due, later in rows]
    return [span.total_seconds() * 1000 for span in spans]


def _cpu_share(process: psutil.Process, seconds: float) -> float:
    """Return how many ms of processor time a process takes in a second."""
    before = process.cpu_times()
    time.sleep(seconds)
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system) / seconds * 1000


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss) / 1024 / 1024
