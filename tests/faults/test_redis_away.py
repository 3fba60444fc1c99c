"""A Redis that is killed, frozen or emptied, while clients go on submitting."""

import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.harness import Client, FaultStack
from tests.stack import wait_for

pytestmark = pytest.mark.faults

LONGEST_POST = 1.0  # seconds
LONGEST_CATCH_UP = 20.0  # seconds


def assert_all_were_accepted_in_time(client: Client) -> None:
    assert client.refused == []
    assert client.worst < LONGEST_POST


def figures(stack: FaultStack, client: Client, back: float) -> str:
    stack.wait_until_done(client.accepted, LONGEST_CATCH_UP)
    took = time.monotonic() - back
    return (
        f"{len(client.accepted)} pings, worst POST {client.worst * 1000:.0f} ms, all done {took:.1f} s after the return"
    )


def test_killed_again_and_again(stack: FaultStack, report: Callable[[str], None]):
    with Client(stack) as client:
        client.wait_for_more(10)
        for _ in range(4):
            old = stack.kill_process("redis")
            stack.wait_until_replaced("redis", old)
            wait_for(lambda: stack.ask_broker("PING") == "+PONG")
        back = time.monotonic()
        client.wait_for_more(20)

    assert_all_were_accepted_in_time(client)
    report(figures(stack, client, back))
    assert stack.states(client.accepted) == {"completed": len(client.accepted)}


def test_frozen(stack: FaultStack, report: Callable[[str], None]):
    with Client(stack) as client:
        client.wait_for_more(10)
        stack.kill_process("redis", signal.SIGSTOP)
        frozen = time.monotonic()
        wait_for(lambda: time.monotonic() - frozen > 8)  # longer than any time limit of the transport
        client.wait_for_more(1)
        stack.kill_process("redis", signal.SIGCONT)
        back = time.monotonic()
        client.wait_for_more(20)

    assert_all_were_accepted_in_time(client)
    report(figures(stack, client, back))
    assert stack.states(client.accepted) == {"completed": len(client.accepted)}


def test_flushed_with_jobs_waiting(any_stack: FaultStack, report: Callable[[str], None]):
    stack = any_stack
    naps = [stack.begin("nap", 6) for _ in range(2)]
    for nap in naps:
        stack.wait_for_note(f"{nap} 1 start")
    waiting = [stack.begin("nap") for _ in range(300)]
    assert stack.states(waiting) == {"waiting": 300}

    assert stack.ask_broker("FLUSHALL") == "+OK"

    flushed = time.monotonic()
    with Client(stack) as client:
        client.wait_for_more(20)
    stack.wait_until_done([*naps, *waiting, *client.accepted], LONGEST_CATCH_UP)
    took = time.monotonic() - flushed
    assert_all_were_accepted_in_time(client)
    assert stack.states(waiting) == {"completed": 300}
    assert sorted(note for note in stack.notes() if note.endswith("start")) == sorted(
        f"{job_id} 1 start" for job_id in [*naps, *waiting]
    )
    report(
        f"300 jobs done {took:.1f} s after the flush (6 s of them two naps), worst POST {client.worst * 1000:.0f} ms"
    )


def test_full(stack: FaultStack, report: Callable[[str], None]):
    """Redis that takes no more writes (noeviction): the doorbell is mute, the rows are not."""
    with Client(stack) as client:
        client.wait_for_more(10)
        assert stack.ask_broker("CONFIG SET maxmemory 1") == "+OK"
        full = time.monotonic()
        wait_for(lambda: time.monotonic() - full > 8)
        client.wait_for_more(20)
        assert stack.ask_broker("CONFIG SET maxmemory 0") == "+OK"
        back = time.monotonic()
        client.wait_for_more(20)

    assert_all_were_accepted_in_time(client)
    report(figures(stack, client, back))
    assert stack.states(client.accepted) == {"completed": len(client.accepted)}
