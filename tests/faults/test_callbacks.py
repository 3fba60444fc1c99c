"""Receivers that misbehave, and a sender that is killed: every callback that can arrive does, nobody else waits."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.harness import FaultStack
from tests.faults.receiver import Receiver
from tests.stack import wait_for
from tests.webhooks.loopback import OK, Behaviour, Server, drip, redirect, with_body
from webhooks.lanes import SENDING

pytestmark = pytest.mark.faults

MANY = 200
ATTEMPTS = 3


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultStack]:
    quick = {"CALLBACK_ATTEMPTS": str(ATTEMPTS), "CALLBACK_RETRY_MS": "200"}
    with FaultStack(tmp_path_factory.mktemp("stack"), CALLBACK_ALLOWED_HOSTS="127.0.0.1", **quick) as running:
        yield running


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Server]]:
    servers: list[Server] = []

    def start(behave: Behaviour) -> Server:
        servers.append(Server(behave))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def delivery_of(stack: FaultStack, job_id: str) -> dict[str, Any]:
    """Return the callback of a job with its attempts."""
    (listed,) = stack.get(f"/deliveries?jobId={job_id}")["deliveries"]
    shown: dict[str, Any] = stack.get(f"/deliveries/{listed['id']}")
    return shown


def ids_of(server: Server) -> set[bytes]:
    """Return the ids under which a receiver was called."""
    heads = (request.partition(b"\r\n\r\n")[0].split(b"\r\n") for request in server.requests)
    return {line for lines in heads for line in lines if line.lower().startswith(b"webhook-id:")}


def test_a_host_that_hangs_holds_two_senders_and_the_others_are_not_slowed(
    stack: FaultStack, report: Callable[[str], None]
) -> None:
    held: list[int] = []
    with Receiver() as live, socket.create_server(("127.0.0.1", 0), backlog=MANY) as hanging:
        hook = f"http://127.0.0.1:{hanging.getsockname()[1]}/"
        began = time.monotonic()
        for _ in range(MANY):
            stack.submit("ping", callbackUrl=hook)
            stack.submit("ping", callbackUrl=live.url)

        def all_arrived() -> bool:
            held.append(stack.rows("SELECT COUNT(*) FROM webhooks_delivery WHERE sending AND url = %s", hook)[0][0])
            return len(live.events_by_job()) == MANY

        wait_for(all_arrived, 20)

    took = time.monotonic() - began
    ((tried, waiting),) = stack.rows("SELECT SUM(attempts), COUNT(*) FROM webhooks_delivery WHERE url = %s", hook)
    assert max(held) <= 2
    assert waiting == MANY
    assert tried <= 2 * ATTEMPTS  # those that wait have lost no attempt
    assert max(live.seen.values()) == 1
    report(f"{MANY} live callbacks beside as many to a host that hangs: {took:.1f} s with the jobs, {tried} attempts")


def test_receivers_that_misbehave(stack: FaultStack, serve: Callable[[Behaviour], Server]) -> None:
    turns = iter([b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", b"", OK])
    servers = {
        "closes early": serve(lambda _stream: None),
        "10 MB": serve(lambda stream: stream.sendall(with_body(b"x" * 10_000_000))),
        "endless headers": serve(drip(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 60_000 + b"\r\n", pause=0.0)),
        "redirects to the metadata": serve(lambda stream: stream.sendall(redirect("http://169.254.169.254/latest"))),
        "flaps": serve(lambda stream: stream.sendall(next(turns, OK))),
    }
    jobs = {name: stack.submit("ping", callbackUrl=server.url) for name, server in servers.items()}

    def is_over(job_id: str) -> bool:
        listed = stack.get(f"/deliveries?jobId={job_id}")["deliveries"]
        return bool(listed) and listed[0]["state"] != "pending"

    wait_for(lambda: all(map(is_over, jobs.values())), 30, 0.2)

    ended = {name: delivery_of(stack, job_id) for name, job_id in jobs.items()}
    assert {name: (each["state"], each["lastStatus"]) for name, each in ended.items()} == {
        "closes early": ("dead", None),
        "10 MB": ("delivered", 200),
        "endless headers": ("dead", None),
        "redirects to the metadata": ("dead", 302),
        "flaps": ("delivered", 200),
    }
    assert len(ended["10 MB"]["attemptLog"][0]["body"]) == 16 * 1024
    assert [each["error"] for each in ended["flaps"]["attemptLog"]] == ["bad_status", "connection_failed", None]
    assert all(len(ids_of(server)) == 1 for server in servers.values())
    assert stack.events(jobs["closes early"])[-1] == "delivery.dead"


def test_a_sender_that_is_killed_before_it_notes_the_answer_sends_again_under_the_same_id(
    stack: FaultStack, serve: Callable[[Behaviour], Server], report: Callable[[str], None]
) -> None:
    killed = threading.Event()

    def answer_when_it_is_dead(stream: socket.socket) -> None:
        killed.wait(10)
        stream.sendall(OK)

    server = serve(answer_when_it_is_dead)
    job_id = stack.submit("ping", callbackUrl=server.url)
    wait_for(lambda: server.requests)

    stack.signal_group("io", signal.SIGKILL)
    began = time.monotonic()
    killed.set()
    wait_for(lambda: delivery_of(stack, job_id)["state"] == "delivered", SENDING.total_seconds() + 15, 0.2)

    shown = delivery_of(stack, job_id)
    assert [each["error"] for each in shown["attemptLog"]] == ["sender_lost", None]
    assert (len(server.requests), len(ids_of(server))) == (2, 1)
    report(f"sent again {time.monotonic() - began:.1f} s after the kill")
