"""A callback receiver that accepts connections and never answers."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import FaultStack

pytestmark = pytest.mark.faults

HUNG = 100


@pytest.fixture
def receiver() -> Iterator[str]:
    """The address of a receiver whose connections the kernel accepts and nobody reads."""
    with socket.create_server(("127.0.0.1", 0), backlog=HUNG) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def stack(tmp_path: Path, receiver: str) -> Iterator[FaultStack]:
    with FaultStack(tmp_path, CALLBACK_ALLOWED_HOSTS=receiver) as running:
        yield running


def test_jobs_do_not_wait_for_it(stack: FaultStack, receiver: str, report: Callable[[str], None]):
    before = run_pings(stack)
    hanging = [stack.submit("ping", callbackUrl=f"http://{receiver}/hook") for _ in range(HUNG)]
    stack.wait_until_done(hanging)

    meanwhile = run_pings(stack)

    assert deliveries(stack) == {"pending": HUNG}
    assert stack.states(hanging) == {"completed": HUNG}
    report(f"500 pings took {before:.1f} s before and {meanwhile:.1f} s while {HUNG} callbacks hung")


def run_pings(stack: FaultStack) -> float:
    began = time.monotonic()
    pings = [stack.submit("ping") for _ in range(500)]
    stack.wait_until_done(pings)
    assert stack.states(pings) == {"completed": 500}
    return time.monotonic() - began


def deliveries(stack: FaultStack) -> dict[str, int]:
    return dict(stack.rows("SELECT state, COUNT(*) FROM webhooks_delivery GROUP BY state"))
