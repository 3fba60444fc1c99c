"""`end_to_end`: from sending POST /jobs to a callback whose signature is checked, for a ping."""

import random
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import median, percentile
from tests.bench.plan import Plan
from tests.bench.receiver import CallbackReceiver
from tests.bench.tables import Cell, show
from tests.bench.targets import bearer
from tests.bench.wire import connect, prepared_request, read_message, status_of
from tests.stack import Stack, wait_for

SECRET = "whsec_YSBzZWNyZXQgb2YgYSBiZW5jaG1hcms="
_HEAD = ("", "p50 ms", "p99 ms", "answered", "sent to row", "row to claim", "claim to end", "end to callback")
_ROWS = (
    "SELECT json_extract(metadata, '$.n'), created_at, started_at, finished_at FROM jobs_job WHERE state = 'completed'"
)

Times = dict[str, float]


def run(plan: Plan) -> None:
    """Send at each pace, each round anew, and print the table."""
    rounds: dict[str, list[list[Times]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, CallbackReceiver(SECRET) as receiver:
        environment = {"CALLBACK_ALLOWED_HOSTS": receiver.address, "WEBHOOK_SECRET": SECRET}
        with Stack(Path(folder), **environment) as stack:
            wait_for(lambda: stack.request("GET", "/health").status == 200, 60)
            _measure(stack, receiver, range(20), 10.0)  # warms everybody up
            first = 1000
            for _ in range(plan.rounds):
                for pace, count in plan.callbacks_at:
                    measured = _measure(stack, receiver, range(first, first + count), pace)
                    rounds[f"{pace:g} jobs/s"].append(measured)
                    first += count
    show(
        "end to end: POST to a verified callback, pings",
        _HEAD,
        [_row(name, measured) for name, measured in rounds.items()],
        "Medians of the stages in ms: POST answered 202; sent until the row is made, the row until the claim begins,",
        "the claim until the handler has returned, that until the callback is verified. Aim: p50 15 ms.",
    )


def _row(name: str, rounds: Sequence[Sequence[Times]]) -> list[Cell]:
    def stage(begin: str, end: str, share: float = 0.5) -> float:
        return median([percentile([1000 * (each[end] - each[begin]) for each in jobs], share) for jobs in rounds])

    return [
        name,
        stage("sent", "verified"),
        stage("sent", "verified", 0.99),
        stage("sent", "answered"),
        stage("sent", "created"),
        stage("created", "started"),
        stage("started", "finished"),
        stage("finished", "verified"),
    ]


def _measure(stack: Stack, receiver: CallbackReceiver, numbers: range, pace: float) -> list[Times]:
    """Submit jobs at a pace (jobs a second, a little irregular) and return the times of each."""
    times = _submit(stack, receiver.url, numbers, pace)
    wait_for(lambda: set(numbers) <= set(receiver.verified), 30)
    wait_for(lambda: set(numbers) <= set(_row_times(stack)), 30)
    rows = _row_times(stack)
    return [{**times[n], **rows[n], "verified": receiver.verified[n]} for n in numbers]


def _submit(stack: Stack, url: str, numbers: range, pace: float) -> dict[int, Times]:
    # So that the jobs do not keep step with anybody's timer; the same every time.
    irregular = random.Random(7)
    headers = bearer(stack.token)
    times: dict[int, Times] = {}
    with connect(stack.port) as connection:
        due = time.monotonic()
        for n in numbers:
            body = {"jobType": "ping", "input": {}, "callbackUrl": url, "metadata": {"n": n}}
            request = prepared_request(stack.port, "/jobs", headers, body)
            time.sleep(max(0.0, due - time.monotonic()))
            due += irregular.uniform(0.5, 1.5) / pace
            sent = time.time()
            connection.sendall(request)
            head, answer = read_message(connection)
            times[n] = {"sent": sent, "answered": time.time()}
            assert status_of(head) == 202, answer
    return times


def _row_times(stack: Stack) -> dict[int, Times]:
    """Return the times in the rows of the jobs that have ended, by their ``n``."""
    path = stack.folder / "data" / "pirunner.sqlite3"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = connection.execute(_ROWS).fetchall()
    finally:
        connection.close()
    names = ("created", "started", "finished")
    return {n: {name: _seconds(text) for name, text in zip(names, texts, strict=True)} for n, *texts in rows}


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
