"""From a job to the owner's phone: real processes, a real callback, a real message to a service on loopback."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.stack import Stack, free_port, wait_for
from webhooks.signing import sign_headers

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]


class Phone:
    """A service that `json://` URLs reach; while it is not started, its port is closed."""

    def __init__(self) -> None:
        self.port = free_port()
        self.messages: list[str] = []
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Return its URL, with a password that nobody may see."""
        return f"json://ana:s3cret-pw@127.0.0.1:{self.port}/s3cret-path"

    def start(self) -> None:
        """Begin to take messages."""
        phone = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                phone.messages.append(body["message"])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Take no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone()
    yield made
    made.stop()


@pytest.fixture
def relayed(tmp_path: Path, database_url: str, phone: Phone) -> Iterator[Stack]:
    """A pirunner that calls back its own relay."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/callback"
    with Stack(
        tmp_path, database_url=database_url, CALLBACK_PORT=str(port), CALLBACK_URL=url, NOTIFY_URLS=phone.url
    ) as stack:
        wait_for(lambda: relay_state(stack) == "ok")
        yield stack


def relay_state(stack: Stack) -> str:
    """Return what /health says of the relay, whatever it says of the rest."""
    return str(stack.request("GET", "/health").json()["relay"]["state"])


def post(stack: Stack, body: dict[str, Any], event_id: str, *, secret: str = "") -> int:
    """Send a callback to the relay by hand, as any sender would."""
    raw = json.dumps(body).encode()
    headers = sign_headers(
        event="job.completed",
        event_id=event_id,
        body=raw,
        timestamp=int(time.time()),
        secrets=[secret or stack.secret("WEBHOOK_SECRET")],
    )
    request = urllib.request.Request(f"http://127.0.0.1:{stack.callback_port}/callback", raw, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_end_of_a_job_reaches_the_phone_once(relayed: Stack, phone: Phone) -> None:
    phone.start()
    relayed.finish(relayed.submit("reminder", input={"message": "Water the plants"}))
    relayed.finish(relayed.submit("ping"))

    wait_for(lambda: len(phone.messages) == 2)
    assert set(phone.messages) == {"⏰ Reminder: Water the plants", "✅ ping done\npong"}

    events = relayed.get("/events?limit=200")["events"]
    told = [event["payload"] for event in events if event["event"] == "job.completed"]
    answers = [post(relayed, body, body["eventId"]) for body in told * 3]
    fresh = post(relayed, {"jobType": "last", "status": "completed", "summary": ""}, "evt_last")

    wait_for(lambda: phone.messages[-1:] == ["✅ last done"])
    assert [*answers, fresh] == [200] * 7
    assert len(phone.messages) == 3


def test_a_message_outlives_the_relay(relayed: Stack, phone: Phone) -> None:
    relayed.finish(relayed.submit("ping"))
    wait_for(lambda: "ping done" in relayed.log())
    old = relayed.kill_process("io")
    wait_for(lambda: relayed.pids().get("io") not in {old, None})
    phone.start()

    wait_for(lambda: phone.messages == ["✅ ping done\npong"], 90)
    (event,) = [event for event in relayed.get("/events?limit=200")["events"] if event["event"] == "job.completed"]
    wait_for(lambda: post(relayed, event["payload"], event["payload"]["eventId"]) == 200)
    relayed.finish(relayed.submit("reminder", input={"message": "x"}))
    wait_for(lambda: len(phone.messages) > 1)
    assert phone.messages == ["✅ ping done\npong", "⏰ Reminder: x"]


def test_a_callback_that_meets_no_relay_is_told_when_there_is_one(relayed: Stack, phone: Phone) -> None:
    phone.start()
    old = relayed.kill_process("io")
    relayed.finish(relayed.submit("ping"))
    wait_for(lambda: relayed.pids().get("io") not in {old, None})

    wait_for(lambda: phone.messages == ["✅ ping done\npong"], 60)


def test_what_is_not_genuine_is_refused_and_no_secret_is_printed(relayed: Stack, phone: Phone) -> None:
    phone.start()
    assert post(relayed, {"status": "completed"}, "evt_1", secret="another") == 401
    relayed.finish(relayed.submit("ping"))
    wait_for(lambda: phone.messages)

    assert len(phone.messages) == 1
    assert "s3cret" not in relayed.log()
    assert relayed.secret("WEBHOOK_SECRET") not in relayed.log()
    assert "A callback was refused: " in relayed.log()


def test_a_planned_stop_closes_the_relay_in_time(relayed: Stack) -> None:
    begun = time.monotonic()

    assert relayed.stop() == 0

    assert time.monotonic() - begun < 15
    assert "did not stop in time" not in relayed.log()
    assert "Traceback" not in relayed.log()


def test_without_the_relay_its_port_is_free(tmp_path: Path) -> None:
    with Stack(tmp_path, RELAY="off") as stack:
        assert relay_state(stack) == "off"
        assert "Relay" not in stack.log()
        with pytest.raises(urllib.error.URLError):
            post(stack, {}, "evt_1")
