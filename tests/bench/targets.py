"""The servers whose acceptance of a job is compared."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.children import serving
from tests.bench.sandbox import SECRET, clean_environment, private_redis, sandbox
from tests.bench.wire import connect, prepared_request, read_message
from tests.stack import Stack, free_port, wait_for


def _nothing_left() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Target:
    """A server under load: the process that heads its family, the request it gets, and when it is idle again."""

    name: str
    pid: int
    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    is_idle: Callable[[], bool] = _nothing_left


@contextmanager
def bare(folder: Path) -> Iterator[list[Target]]:
    """Serve the bare project: a view that does nothing, and one that does one insert."""
    data = folder / "bare"
    data.mkdir()
    port = free_port()
    environment = clean_environment() | {"RUNNER_DATA_DIR": str(data), "PORT": str(port)}
    command = ("-m", "tests.bench.bare.serve")
    with serving(
        *command, environment=environment, log=data / "log", ready=lambda: answers(port, "/nothing")
    ) as process:
        yield [
            Target("bare view", process.pid, port, "/nothing"),
            Target("bare view, one insert", process.pid, port, "/insert"),
        ]


@contextmanager
def api_alone(folder: Path) -> Iterator[list[Target]]:
    """Serve the API beside a Redis that nobody listens to."""
    home = folder / "api"
    home.mkdir()
    with private_redis() as broker_url:
        environment = sandbox(home, broker_url)
        port = int(environment["PORT"])
        command = ("-m", "tests.bench.parts.api")
        with serving(
            *command, environment=environment, log=home / "log", ready=lambda: answers(port, "/health")
        ) as process:
            yield [Target("pirunner, no workers", process.pid, port, "/jobs", bearer(SECRET))]


@contextmanager
def whole_stack(folder: Path) -> Iterator[list[Target]]:
    """Serve with `manage.py up`: the jobs run while others are accepted."""
    home = folder / "stack"
    home.mkdir()
    with Stack(home) as stack:
        wait_for(lambda: stack.request("GET", "/health").status == 200, 60)
        yield [
            Target(
                "pirunner, as it runs",
                stack.process.pid,
                stack.port,
                "/jobs",
                bearer(stack.token),
                lambda: is_drained(stack),
            )
        ]


def bearer(token: str) -> dict[str, str]:
    """Return the header that proves who calls."""
    return {"Authorization": f"Bearer {token}"}


def is_drained(stack: Stack) -> bool:
    """Return whether nothing waits or runs."""
    counts = stack.get("/queues/stats")
    return bool(counts["waiting"] == counts["active"] == 0)


def answers(port: int, path: str) -> bool:
    """Return whether a server on loopback answers a request, whatever it says."""
    try:
        with connect(port) as connection:
            connection.sendall(prepared_request(port, path, {}, {}))
            read_message(connection)
    except OSError:
        return False
    return True
