"""Watching jobs as many clients do at once, over real sockets."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.sse import Message, messages, names
from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]
PLUGIN = Path(__file__).resolve().parent / "plugin"
MOST = 200


@pytest.fixture
def stack(tmp_path: Path, database_url: str) -> Iterator[Stack]:
    """A stack that knows the job type of ``plugin``, whose worker has run a job."""
    with Stack(tmp_path, database_url=database_url, PYTHONPATH=str(PLUGIN), RUNNER_JOBS="built-in,chatter") as running:
        running.finish(running.submit("ping"))
        yield running


@pytest.fixture
def later_job(stack: Stack) -> str:
    """A job that does nothing for an hour."""
    due_at = datetime.now(UTC) + timedelta(hours=1)
    return stack.submit("ping", schedule={"runAt": due_at.isoformat()})


class Follower:
    """A client that follows one job, and remembers what it has read."""

    def __init__(self, stack: Stack, job_id: str) -> None:
        self._stack = stack
        self._path = f"/jobs/{job_id}/events"
        self.read: list[Message] = []

    def follow(self, until: Callable[[list[Message]], bool]) -> None:
        """Connect, go on after the last id, and hang up when enough was read."""
        connection = HTTPConnection("127.0.0.1", self._stack.port, timeout=30)
        last_id = self.read[-1].id if self.read else "0.0"
        headers = {"Authorization": f"Bearer {self._stack.token}", "Last-Event-ID": last_id}
        connection.request("GET", self._path, headers=headers)
        response = connection.getresponse()
        assert response.status == 200
        state = next_message(response)
        assert (state.name, state.id) == ("state", last_id)
        while not until(self.read):
            self.read.append(next_message(response))
        connection.close()

    @property
    def lines(self) -> list[str]:
        """The log lines read so far."""
        return [message.content["message"] for message in self.read if message.name == "log"]


def has_lines(enough: int, read: list[Message]) -> bool:
    return names(read).count("log") >= enough


def next_message(response: HTTPResponse) -> Message:
    block = b""
    while not (block.endswith(b"\n\n") and not block.startswith(b":")):
        if block.endswith(b"\n\n"):
            block = b""
        line = response.readline()
        assert line, "the stream ended"
        block += line
    return messages(block.decode())[0]


def test_a_followed_job_reads_whole_across_reconnects(stack: Stack):
    job_id = stack.submit("chatter", input={"lines": 40, "pause": 0.1})
    follower = Follower(stack, job_id)

    for enough in (9, 17, 31):
        follower.follow(partial(has_lines, enough))
        time.sleep(0.7)  # lines are written while nobody listens
    follower.follow(lambda read: read[-1].name == "end")

    told = names(follower.read)
    assert follower.lines == [f"line {number}" for number in range(40)]
    assert [name for name in told if name.startswith("job.")] == ["job.started", "job.completed"]
    assert "progress" in told
    assert follower.read[-1].content == {"id": job_id, "state": "completed"}
    ids = [tuple(map(int, message.id.split("."))) for message in follower.read]
    assert ids == sorted(ids)


def test_a_log_can_be_followed_by_waiting(stack: Stack):
    job_id = stack.submit("chatter", input={"lines": 12, "pause": 0.1})
    lines: list[str] = []
    after = 0

    while len(lines) < 12:
        page = stack.get(f"/jobs/{job_id}/log?after={after}&wait=20")
        lines += [line["message"] for line in page["lines"]]
        after = page["next"]

    assert lines == [f"line {number}" for number in range(12)]
    stack.finish(job_id)
    assert stack.get(f"/jobs/{job_id}/log?after={after}&wait=20") == {"lines": [], "next": after}


def open_socket(stack: Stack, path: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", stack.port), timeout=60)
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {stack.token}\r\n\r\n"
    client.sendall(request.encode())
    return client


def open_streams(stack: Stack, job_id: str, number: int, hold: ExitStack) -> list[socket.socket]:
    """Open streams and wait until each has sent its first event."""
    clients = [hold.enter_context(open_socket(stack, f"/jobs/{job_id}/events")) for _ in range(number)]
    for client in clients:
        read_until(client, b"event: state")
    return clients


def read_until(client: socket.socket, mark: bytes) -> bytes:
    got = b""
    while mark not in got:
        piece = client.recv(65536)
        assert piece, got[-500:]
        got += piece
    return got


def seconds_of(call: Callable[[], Any]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def api_processes(stack: Stack) -> list[psutil.Process]:
    api = psutil.Process(stack.pid_of("api"))
    return [api, *api.children(recursive=True)]


def api_memory(stack: Stack) -> float:
    """Return what the API's processes take, in MiB (PSS)."""
    return float(sum(process.memory_full_info().pss for process in api_processes(stack)) / 2**20)


def api_threads(stack: Stack) -> int:
    return max(int(process.num_threads()) for process in api_processes(stack))


def has_place(stack: Stack, job_id: str) -> bool:
    with open_socket(stack, f"/jobs/{job_id}/events") as client:
        return b" 200 " in client.recv(65536).splitlines()[0]


def test_200_clients_wait_and_nobody_else_notices(stack: Stack, later_job: str, capsys: pytest.CaptureFixture[str]):
    before = api_memory(stack)
    with ExitStack() as hold:
        calls = [hold.enter_context(open_socket(stack, f"/jobs/{later_job}?wait=50")) for _ in range(MOST // 2)]
        wait_for(lambda: api_threads(stack) >= len(calls))  # each holds one, so all have their places
        streams = open_streams(stack, later_job, MOST - len(calls), hold)
        after = api_memory(stack)

        assert seconds_of(lambda: stack.get("/health")) < 1
        assert seconds_of(lambda: stack.submit("ping")) < 1
        assert seconds_of(lambda: stack.get(f"/jobs/{later_job}?wait=50")) < 1
        assert seconds_of(lambda: stack.get("/events?after=1000000&wait=50")) < 1
        refused = stack.request("GET", f"/jobs/{later_job}/events")
        assert refused.status == 503
        assert int(refused.headers["retry-after"]) > 0

        told = wake_all(stack, later_job, streams, calls)
    with capsys.disabled():
        print(f"\n{MOST} waiting clients: {before:.1f} MiB before, {after:.1f} MiB with them (PSS)")
        print(f"woken within {told[0] * 1000:.0f} ms (first), {told[-1] * 1000:.0f} ms (last)")


def wake_all(stack: Stack, job_id: str, streams: list[socket.socket], calls: list[socket.socket]) -> list[float]:
    """Cancel the job, insist that every client is told, and return after how many seconds each was."""
    told: list[float] = []

    def listen(client: socket.socket, mark: bytes) -> None:
        read_until(client, mark)
        told.append(time.monotonic())

    listeners = [threading.Thread(target=listen, args=(client, b"event: end")) for client in streams]
    listeners += [threading.Thread(target=listen, args=(client, b'"state":"cancelled"')) for client in calls]
    for listener in listeners:
        listener.start()
    assert stack.request("POST", f"/jobs/{job_id}/cancel").status == 200
    began = time.monotonic()
    for listener in listeners:
        listener.join(30)
    assert len(told) == len(listeners)
    return [moment - began for moment in sorted(told)]


def test_clients_that_went_away_free_their_places(stack: Stack, later_job: str):
    with ExitStack() as hold:
        open_streams(stack, later_job, MOST, hold)
        assert not has_place(stack, later_job)

    wait_for(lambda: has_place(stack, later_job), 25, 0.5)


def test_a_stop_does_not_wait_for_streams(stack: Stack, later_job: str):
    with ExitStack() as hold:
        streams = open_streams(stack, later_job, 100, hold)

        took = seconds_of(stack.stop)

        # The last chunk of a whole answer: the stream was ended, not cut off.
        rests = [read_until(client, b"0\r\n\r\n") for client in streams]
    assert took < 10
    assert not any(b"event: end" in rest for rest in rests)
    assert "did not stop in time" not in stack.log()
