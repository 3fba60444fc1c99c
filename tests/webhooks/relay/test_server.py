"""The relay over real HTTP: what it takes, what it refuses, and that it comes back."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import DatabaseError
from django.utils import timezone

from tests.parts import SECRET, wait_for
from tests.stack import free_port
from webhooks.models import Notice
from webhooks.relay import server
from webhooks.relay.server import Relay, relaying
from webhooks.signing import sign_headers

pytestmark = pytest.mark.usefixtures("committed_db")

BODY = json.dumps(
    {"jobId": "1", "jobType": "ping", "status": "completed", "summary": "pong", "eventId": "evt_1"}
).encode()
OLD_BODY = json.dumps({"jobId": "1", "jobType": "ping", "status": "completed", "summary": "pong"}).encode()


@pytest.fixture
def port(owner: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(server, "AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(server, "POLL_SECONDS", 0.02)
    owner.RELAY, owner.CALLBACK_HOST, owner.CALLBACK_PORT = True, "127.0.0.1", free_port()
    return int(owner.CALLBACK_PORT)


@pytest.fixture
def relay(port: int) -> Iterator[Relay]:
    running = Relay("127.0.0.1", port)
    running.start()
    wait_for(running.serves)
    yield running
    running.stop()


def signed(body: bytes = BODY, *, secret: str = SECRET, age: float = 0, families: str = "both") -> dict[str, str]:
    headers = sign_headers(
        event="job.completed", event_id="evt_1", body=body, timestamp=int(time.time() - age), secrets=[secret]
    )
    return {name: value for name, value in headers.items() if families == "both" or name.startswith("X-Runner")}


def post(port: int, body: bytes, headers: dict[str, str]) -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"http://127.0.0.1:{port}/callback", data=body, headers=headers, timeout=10).status_code


def told() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("text", flat=True))


@pytest.mark.usefixtures("relay")
def test_a_genuine_callback_is_a_row_when_it_is_answered(port: int) -> None:
    assert post(port, BODY, signed()) == 200

    assert told() == ["✅ ping done\npong"]


@pytest.mark.usefixtures("relay")
@pytest.mark.parametrize(
    ("body", "families", "event_id"),
    [(BODY, "both", "evt_1"), (BODY, "old", "evt_1"), (OLD_BODY, "old", "sha256:")],
)
def test_a_callback_that_comes_again_is_answered_and_told_once(
    port: int, body: bytes, families: str, event_id: str
) -> None:
    # A second apart, as the signature of the next attempt is another one.
    answers = [post(port, body, signed(body, families=families, age=age)) for age in (2, 1, 0)]

    assert answers == [200, 200, 200]
    assert len(told()) == 1
    assert Notice.objects.get().event_id.startswith(event_id)


@pytest.mark.usefixtures("relay")
def test_copies_that_arrive_at_the_same_time_are_told_once(port: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(port, BODY, signed()), range(16)))

    assert answers == [200] * 16
    assert len(told()) == 1


@pytest.mark.usefixtures("relay")
def test_the_same_event_in_either_family_is_the_same_event(port: int) -> None:
    assert post(port, BODY, signed(families="old")) == post(port, BODY, signed()) == 200

    assert len(told()) == 1


@pytest.mark.usefixtures("relay")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(secret="another"),
        signed(OLD_BODY),
        signed(age=301),
        signed(age=-900),
        signed(age=301, families="old"),
    ],
    ids=["unsigned", "another secret", "another body", "too old", "too new", "too old in the old family"],
)
def test_what_is_not_genuine_and_fresh_is_refused(
    port: int, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert post(port, BODY, headers) == 401

    assert told() == []
    assert "A callback was refused: " in caplog.text


@pytest.mark.usefixtures("relay")
def test_during_a_rotation_both_secrets_count_until_the_old_one_ends(port: int, owner: Any) -> None:
    owner.WEBHOOK_SECRET, owner.WEBHOOK_SECRET_PREVIOUS = "the new one", SECRET
    owner.WEBHOOK_SECRET_PREVIOUS_UNTIL = timezone.now() + timedelta(minutes=1)
    assert post(port, BODY, signed()) == post(port, BODY, signed(secret="the new one")) == 200

    owner.WEBHOOK_SECRET_PREVIOUS_UNTIL = timezone.now() - timedelta(minutes=1)
    assert post(port, BODY, signed()) == 401


@pytest.mark.usefixtures("relay")
def test_a_well_known_secret_does_not_count_even_during_a_rotation(port: int, owner: Any) -> None:
    owner.WEBHOOK_SECRET_PREVIOUS = "change-me"

    assert post(port, BODY, signed(secret="change-me")) == 401


@pytest.mark.parametrize("secret", ["", "change-me"])
def test_it_does_not_exist_with_a_secret_that_anybody_may_know(owner: Any, secret: str) -> None:
    owner.WEBHOOK_SECRET = secret

    with pytest.raises(ValueError, match="WEBHOOK_SECRET"):
        Relay("127.0.0.1", 0)


@pytest.mark.usefixtures("relay")
def test_while_the_database_is_away_the_sender_is_asked_to_come_again(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(_callback: Any) -> None:
        raise DatabaseError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr("webhooks.relay.notices.take", locked)
        assert post(port, BODY, signed()) == 503

    assert post(port, BODY, signed()) == 200


def test_a_server_that_ends_is_replaced(relay: Relay, port: int, caplog: pytest.LogCaptureFixture) -> None:
    first = relay._receiver
    assert first

    first._server.shutdown()

    wait_for(lambda: relay._receiver is not first and relay.serves())
    assert post(port, BODY, signed()) == 200
    assert "has ended by itself" in caplog.text


def test_a_port_that_is_taken_is_waited_for(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", port)):
        relay = Relay("127.0.0.1", port)
        relay.start()
        wait_for(lambda: "Address already in use" in caplog.text)
        assert not relay.serves()
    wait_for(relay.serves)

    assert post(port, BODY, signed()) == 200
    relay.stop()
    assert caplog.text.count("Address already in use") == 1


def test_a_stop_closes_the_port(port: int) -> None:
    with relaying():
        wait_for(lambda: answers(port))

    assert not answers(port)


def test_stopped_before_it_served_it_stays_stopped(port: int) -> None:
    for _ in range(20):
        relay = Relay("127.0.0.1", port)
        relay.start()
        relay.stop()

    assert not answers(port)


def test_it_can_be_switched_off(owner: Any, port: int) -> None:
    owner.RELAY = False

    with relaying():
        assert not answers(port)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    except OSError:
        return False


def test_a_callback_to_the_relay_of_its_own_machine_is_allowed(owner: Any) -> None:
    from webhooks.services import check_target

    checks: dict[str, Callable[[], Any]] = {}
    for url in ("http://127.0.0.1:9999/callback", "http://callback-relay:9999/callback"):
        owner.CALLBACK_URL = url
        checks[url] = check_target(url)  # type: ignore[assignment]

    assert checks["http://127.0.0.1:9999/callback"] is None
    # The name does not resolve here, which is a warning; the address behind it would be allowed.
    assert "callback-relay" in str(checks["http://callback-relay:9999/callback"])
