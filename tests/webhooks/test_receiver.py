"""The callback receiver, over real connections."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from webhooks.receiver import MAX_BODY_BYTES, Receiver, VerifiedCallback
from webhooks.signing import sign_headers

SECRET = "receiver-secret"
BODY = b'{"jobId":"42","eventId":"evt_in_body"}'


class Inbox:
    """A running receiver and what it has handed on."""

    def __init__(self, **options) -> None:
        self.callbacks: list[VerifiedCallback] = []
        self.refusals: list[str] = []
        self.receiver = Receiver(
            "127.0.0.1",
            0,
            [SECRET, "previous-secret"],
            self.callbacks.append,
            on_refused=self.refusals.append,
            **options,
        )
        self.receiver.start()
        self.url = f"http://127.0.0.1:{self.receiver.port}/callback"

    def send_raw(self, request: bytes) -> bytes:
        """Send bytes and return everything that comes back until the receiver hangs up."""
        with socket.create_connection(("127.0.0.1", self.receiver.port), timeout=5) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    opened = Inbox()
    yield opened
    opened.receiver.stop()


def signed(body: bytes = BODY, secret: str = SECRET, age: int = 0) -> dict[str, str]:
    return sign_headers(
        event="job.completed",
        event_id="evt_1",
        body=body,
        timestamp=int(time.time()) - age,
        secrets=[secret],
    )


@pytest.mark.parametrize("secret", [SECRET, "previous-secret"])
def test_a_genuine_callback_is_handed_on(inbox: Inbox, secret: str) -> None:
    answer = requests.post(inbox.url, BODY, headers=signed(secret=secret), timeout=5)

    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert inbox.callbacks == [VerifiedCallback("job.completed", "evt_1", json.loads(BODY), BODY)]


def test_the_old_family_takes_its_id_from_the_body(inbox: Inbox) -> None:
    headers = {name: value for name, value in signed().items() if name.startswith("X-")}

    requests.post(inbox.url, BODY, headers=headers, timeout=5)

    assert inbox.callbacks[0].event_id == "evt_in_body"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "no header"),
        (signed(secret="wrong"), "No entry"),
        (signed(body=b"{}"), "No entry"),
        (signed(age=4000), "seconds old"),
    ],
    ids=["unsigned", "another secret", "another body", "old"],
)
def test_any_other_callback_is_refused_with_the_reason(inbox: Inbox, headers, reason: str) -> None:
    answer = requests.post(inbox.url, BODY, headers=headers, timeout=5)

    assert answer.status_code == 401
    assert answer.json()["error"] == "signature_refused"
    assert reason in answer.json()["details"]
    assert inbox.refusals == [answer.json()["details"]]
    assert inbox.callbacks == []


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_json_object_is_refused(inbox: Inbox, body: bytes) -> None:
    answer = requests.post(inbox.url, body, headers=signed(body), timeout=5)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_json")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_another_method_is_not_allowed(inbox: Inbox, method: str) -> None:
    answer = requests.request(method, inbox.url, timeout=5)

    assert (answer.status_code, answer.json()) == (405, {"error": "method_not_allowed"})
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_path_is_not_found(inbox: Inbox, method: str) -> None:
    answer = requests.request(method, inbox.url + "/more", timeout=5)

    assert (answer.status_code, answer.json()) == (404, {"error": "not_found"})


def test_a_body_over_the_cap_is_refused(inbox: Inbox) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)

    answer = requests.post(inbox.url, body, headers=signed(body), timeout=5)

    assert (answer.status_code, answer.json()) == (413, {"error": "payload_too_large"})


@pytest.mark.parametrize("length", [b"", b"-1", b"1e3", b"9" * 5000])
def test_a_body_without_a_usable_length_is_refused(inbox: Inbox, length: bytes) -> None:
    answer = inbox.send_raw(b"POST /callback HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 411 ")


@pytest.mark.parametrize("request_line", [b"garbage", b"GET / HTTP/9.9", b"GET /" + b"a" * 70_000 + b" HTTP/1.1"])
def test_what_is_no_http_is_answered_in_json(inbox: Inbox, request_line: bytes) -> None:
    answer = inbox.send_raw(request_line + b"\r\n\r\n")

    assert b'{"error": "' in answer


@pytest.mark.parametrize("part", [b"", b"POST /callback", b"POST /callback HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"])
def test_a_request_that_stalls_is_hung_up_on(part: bytes) -> None:
    inbox = Inbox(request_seconds=0.2)

    begun = time.monotonic()
    inbox.send_raw(part)

    assert time.monotonic() - begun < 3
    inbox.receiver.stop()


def test_a_callback_that_cannot_be_taken_is_asked_for_again() -> None:
    def fail(_callback: VerifiedCallback) -> None:
        raise RuntimeError("the database is locked")

    receiver = Receiver("127.0.0.1", 0, [SECRET], fail)
    receiver.start()
    answer = requests.post(f"http://127.0.0.1:{receiver.port}/callback", BODY, headers=signed(), timeout=5)
    receiver.stop()

    assert (answer.status_code, answer.json()) == (503, {"error": "unavailable"})


def test_stopping_waits_for_a_callback_in_progress() -> None:
    entered, go_on, taken = threading.Event(), threading.Event(), threading.Event()

    def dawdle(_callback: VerifiedCallback) -> None:
        entered.set()
        go_on.wait(5)
        taken.set()

    receiver = Receiver("127.0.0.1", 0, [SECRET], dawdle)
    receiver.start()
    url = f"http://127.0.0.1:{receiver.port}/callback"
    answers: list[int] = []
    sender = threading.Thread(
        target=lambda: answers.append(requests.post(url, BODY, headers=signed(), timeout=5).status_code)
    )
    sender.start()
    assert entered.wait(5)

    threading.Timer(0.2, go_on.set).start()
    receiver.stop()

    assert taken.is_set()
    sender.join(5)
    assert answers == [200]


def test_stopping_frees_the_port() -> None:
    inbox = Inbox()
    inbox.receiver.stop()
    inbox.receiver.stop()

    Receiver("127.0.0.1", inbox.receiver.port, [SECRET], inbox.callbacks.append).stop()


def test_a_taken_port_is_an_error(inbox: Inbox) -> None:
    with pytest.raises(OSError, match="in use"):
        Receiver("127.0.0.1", inbox.receiver.port, [SECRET], inbox.callbacks.append)


@pytest.mark.parametrize("secrets", [[], [""], ["whsec_!"]])
def test_a_receiver_without_usable_secret_is_not_made(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        Receiver("127.0.0.1", 0, secrets, lambda _callback: None)
