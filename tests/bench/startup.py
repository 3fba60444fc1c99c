"""`startup`: from starting to the first 200 of /health, which says that a job submitted now would run."""

import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.bench.figures import median, spread
from tests.bench.plan import Plan
from tests.bench.tables import show
from tests.bench.wire import connect, prepared_request, read_message, status_of
from tests.stack import ROOT, Stack

LOOK_SECONDS = 0.01
LONGEST_START = 60.0
WAYS = {"scripts/run": ("-m", "pirunner.up"), "manage.py up": ("manage.py", "up")}


def run(plan: Plan) -> None:
    """Start in an empty folder, then again and again in the same one, and print the table."""
    answered: dict[str, list[float]] = defaultdict(list)
    healthy: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        stack = Stack(Path(folder))
        starts = [("scripts/run", "first")] + [(way, "again") for _ in range(plan.rounds) for way in WAYS]
        for way, which in starts:
            first_answer, first_200 = _start(stack, WAYS[way])
            answered[f"{way}, {which}"].append(first_answer)
            healthy[f"{way}, {which}"].append(first_200)
    show(
        "startup: seconds until /health answers",
        ("", "anything", "200", "rounds, ms"),
        [
            [name, median(answered[name]), median(seconds), spread([1000 * each for each in seconds])]
            for name, seconds in healthy.items()
        ],
        "scripts/run without its look at the installed packages. The first start makes secrets and database.",
    )


def _start(stack: Stack, command: tuple[str, ...]) -> tuple[float, float]:
    """Start, wait for health, stop; return the seconds to the first answer and to the first 200."""
    with stack.log_path.open("ab") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=stack.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        return _watch(stack.port, began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def _watch(port: int, began: float) -> tuple[float, float]:
    first_answer = 0.0
    while (now := time.monotonic() - began) < LONGEST_START:
        status = _health(port)
        if status and not first_answer:
            first_answer = time.monotonic() - began
        if status == 200:
            return first_answer, time.monotonic() - began
        time.sleep(LOOK_SECONDS)
    raise TimeoutError(f"/health is not 200 after {now:.0f} s.")


def _health(port: int) -> int:
    try:
        with connect(port) as connection:
            connection.sendall(prepared_request(port, "/health", {}))
            head, _ = read_message(connection)
    except OSError:
        return 0
    return status_of(head)
