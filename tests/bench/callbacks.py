"""`callbacks`: how many are delivered a second, and what a dead receiver costs the others."""

import socket
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.bench.children import result_of
from tests.bench.end_to_end import SECRET
from tests.bench.figures import median, spread
from tests.bench.plan import Plan
from tests.bench.receiver import CallbackReceiver
from tests.bench.sandbox import private_redis
from tests.bench.tables import Cell, show
from tests.stack import Stack, wait_for

_PART = ("-m", "tests.bench.parts.callback_drain")
_HEAD = ("", "callbacks/s", "rounds", "to one host", "CPU ms a callback")

Measured = dict[str, float]


def run(plan: Plan) -> None:
    """Deliver to one host, to four, and to one beside a host that hangs, each round anew, and print the table."""
    rounds: dict[str, list[Measured]] = {"one host": [], "four hosts": [], "one host, beside one that hangs": []}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as parts:
        live = [parts.enter_context(CallbackReceiver(SECRET)) for _ in range(4)]
        # The kernel takes their connections, and nobody ever answers them; another one each round, for a host that
        # has failed before is met with care.
        dead = [parts.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64)) for _ in range(plan.rounds)]
        broker_url = parts.enter_context(private_redis())
        environment = {"CALLBACK_ALLOWED_HOSTS": "127.0.0.1", "WEBHOOK_SECRET": SECRET, "REDIS_URL": broker_url}
        stack = parts.enter_context(Stack(Path(folder), **environment))
        wait_for(lambda: stack.request("GET", "/health").status == 200, 60)
        urls = [receiver.url for receiver in live]
        _measure(stack, plan.callbacks // 4, urls[:1])  # warms everybody up
        for hanging in dead:
            rounds["one host"].append(_measure(stack, plan.callbacks, urls[:1]))
            rounds["four hosts"].append(_measure(stack, plan.callbacks, urls))
            url = f"http://127.0.0.1:{hanging.getsockname()[1]}/"
            rounds["one host, beside one that hangs"].append(_measure(stack, plan.callbacks, urls[:1], dead=url))
    alone = median([each["rate"] for each in rounds["one host"]])
    show(
        f"callbacks: {plan.callbacks} to live receivers, and as many to a dead one",
        _HEAD,
        [_row(name, measured, alone) for name, measured in rounds.items()],
        "From the first ring until the last live one is delivered; signatures are checked. The dead one takes",
        "connections and never answers. Aim: beside it, the live ones are not slowed.",
    )


def _row(name: str, rounds: Sequence[Measured], alone: float) -> list[Cell]:
    rate = median([each["rate"] for each in rounds])
    cpu = median([each["cpu"] for each in rounds])
    return [name, rate, spread([each["rate"] for each in rounds]), f"{rate / alone:.2f}", cpu]


def _measure(stack: Stack, count: int, live: list[str], dead: str = "") -> Measured:
    """Return callbacks a second to the live ones, and the sender's processor time in ms for each."""
    before = machine.cpu_seconds(stack.pid_of("io"))
    order = {"live": live, "dead": dead, "count": count}
    measured: dict[str, Any] = result_of(*_PART, environment=stack.environment, given=order)
    cpu = machine.cpu_seconds(stack.pid_of("io")) - before
    return {"rate": count / measured["seconds"], "cpu": 1000 * cpu / count}
