"""`accept`: how fast POST /jobs answers, beside a bare Django view that keeps the same promise."""

import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench import machine, targets
from tests.bench.figures import median, percentile, spread
from tests.bench.loading import load_with_pings
from tests.bench.plan import Plan
from tests.bench.tables import Cell, show
from tests.bench.targets import Target
from tests.stack import wait_for

WARM_UP = 200
BARE_INSERT = "bare view, one insert"
_HEAD = ("", "requests/s", "rounds", "to bare insert", "p50 ms", "p99 ms", "server CPU", "generator CPU", "not 202")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one load showed: requests a second, latencies in ms, processor time in ms a request."""

    rate: float
    p50: float
    p99: float
    server_cpu: float
    generator_cpu: float
    refused: int


def run(plan: Plan) -> None:
    """Load all servers in turn, each round anew, and print the table."""
    rounds: dict[str, list[Round]] = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        servers = (targets.bare, targets.api_alone, targets.whole_stack)
        servers_up = [target for server in servers for target in stack.enter_context(server(folder))]
        for _ in range(plan.rounds):
            for target in servers_up:
                rounds[target.name].append(_load(target, plan))
                wait_for(target.is_idle, 60)
    bare = median([each.rate for each in rounds[BARE_INSERT]])
    show(
        f"accept: POST of a ping, {plan.connections} connections, {plan.accept_requests} requests a round",
        _HEAD,
        [_row(name, measured, bare) for name, measured in rounds.items()],
        "CPU in ms a request; that of the whole stack includes running the jobs. Aim: 0.70 of the bare insert.",
    )


def _row(name: str, rounds: list[Round], bare: float) -> list[Cell]:
    rate = median([each.rate for each in rounds])
    return [
        name,
        rate,
        spread([each.rate for each in rounds]),
        f"{rate / bare:.2f}",
        median([each.p50 for each in rounds]),
        median([each.p99 for each in rounds]),
        median([each.server_cpu for each in rounds]),
        median([each.generator_cpu for each in rounds]),
        sum(each.refused for each in rounds),
    ]


def _load(target: Target, plan: Plan) -> Round:
    before = machine.cpu_seconds(target.pid)
    load = load_with_pings(
        port=target.port,
        path=target.path,
        headers=target.headers,
        connections=plan.connections,
        requests=plan.accept_requests,
        warm_up=WARM_UP,
    )
    server_cpu = machine.cpu_seconds(target.pid) - before
    return Round(
        rate=plan.accept_requests / load.seconds,
        p50=1000 * percentile(load.latencies, 0.5),
        p99=1000 * percentile(load.latencies, 0.99),
        server_cpu=1000 * server_cpu / (plan.accept_requests + WARM_UP),
        generator_cpu=1000 * load.cpu / plan.accept_requests,
        refused=plan.accept_requests - load.statuses.get("202", 0),
    )
