"""`drain`: how fast waiting pings are run, beside raw Celery's no-op tasks on the same Redis."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.bench.children import result_of, serving
from tests.bench.figures import median, spread
from tests.bench.plan import Plan
from tests.bench.sandbox import private_redis
from tests.bench.tables import Cell, show
from tests.stack import Stack, wait_for

_RAW_WORKER = ("-m", "tests.bench.parts.celery_worker")
_HEAD = ("", "jobs/s", "rounds", "to raw Celery", "CPU ms a job", "put in, jobs/s")


def run(plan: Plan) -> None:
    """Drain both in turn, each round anew, and print the table."""
    ours: list[dict[str, float]] = []
    raw: list[dict[str, float]] = []
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        broker_url = parts.enter_context(private_redis())
        stack = parts.enter_context(Stack(folder, REDIS_URL=broker_url))
        wait_for(lambda: stack.request("GET", "/health").status == 200, 60)
        with _raw_worker(folder, stack.environment) as (raw_pid, raw_environment):
            for _ in range(plan.rounds):
                ours.append(_measure("ping_drain", stack.pid_of("worker"), stack.environment, plan))
                raw.append(_measure("celery_drain", raw_pid, raw_environment, plan))
    raw_rate = median([each["drained"] for each in raw])
    show(
        f"drain: {plan.drain_jobs} waiting, one ring, two children",
        _HEAD,
        [_row("raw Celery, no-op tasks", raw, raw_rate), _row("pirunner, pings", ours, raw_rate)],
        "Put in: apply_async one by one, against submit_many by 100. Aim: 5 times raw Celery.",
    )


def _row(name: str, rounds: list[dict[str, float]], raw_rate: float) -> list[Cell]:
    rate = median([each["drained"] for each in rounds])
    return [
        name,
        rate,
        spread([each["drained"] for each in rounds]),
        f"{rate / raw_rate:.1f}",
        median([each["cpu"] for each in rounds]),
        median([each["filled"] for each in rounds]),
    ]


@contextmanager
def _raw_worker(folder: Path, environment: dict[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Run a worker of raw Celery with the settings of ours; yield its process id and its environment."""
    # Without Django: the variable would make Celery look after Django's connections at every task.
    raw = {name: value for name, value in environment.items() if name != "DJANGO_SETTINGS_MODULE"}
    log = folder / "celery.log"
    with serving(*_RAW_WORKER, environment=raw, log=log, ready=lambda: "ready" in _text(log)) as process:
        yield process.pid, raw


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _measure(part: str, worker_pid: int, environment: dict[str, str], plan: Plan) -> dict[str, float]:
    """Let a part fill and drain; return jobs a second of both, and the worker's processor time in ms a job."""
    before = machine.cpu_seconds(worker_pid)
    count = plan.drain_jobs
    measured: dict[str, Any] = result_of("-m", f"tests.bench.parts.{part}", str(count), environment=environment)
    cpu = machine.cpu_seconds(worker_pid) - before
    return {"filled": count / measured["fill"], "drained": count / measured["drain"], "cpu": 1000 * cpu / count}
