"""The calls under ``/deliveries``."""

import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.parts import SECRET, Api
from tests.webhooks.loopback import Server, with_body
from tests.webhooks.making import NOON, answering, attempt, delivery, loopback
from tests.webhooks.test_deliveries import headers_of
from webhooks.models import Delivery, DeliveryAttempt
from webhooks.signing import verify

__all__ = ["loopback"]

pytestmark = pytest.mark.usefixtures("committed_db")

HOUR = timedelta(hours=1)
URL = "https://agent.example/hook"
Serve = Callable[..., Server]


# -- GET /deliveries ----------------------------------------------------------------------------------------------


def test_a_delivery_is_listed_as_it_stands(api: Api) -> None:
    row = delivery(
        URL,
        state="dead",
        attempts=3,
        next_attempt_at=None,
        last_status=500,
        last_error="The receiver answered 500.",
        created_at=NOON,
    )

    assert api.get("/deliveries").json() == {
        "deliveries": [
            {
                "id": str(row.pk),
                "jobId": "41",
                "event": "job.completed",
                "eventId": row.event_id,
                "url": URL,
                "host": "agent.example",
                "state": "dead",
                "attempts": 3,
                "nextAttemptAt": None,
                "lastStatus": 500,
                "lastError": "The receiver answered 500.",
                "createdAt": "2026-03-01T12:00:00.000Z",
                "deliveredAt": None,
            }
        ]
    }


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [3, 2, 1, 0]),
        ("?state=dead", [2, 1]),
        ("?state=dead&host=agent.example", [1]),
        ("?host=AGENT.example:443", [1, 0]),
        ("?host=192.168.1.20:9999", [2]),
        ("?host=plain.example:80", [3]),
        ("?host=plain.example", [3]),
        ("?jobId=8", [2]),
        ("?jobId=999", []),
        ("?limit=1", [3]),
    ],
)
def test_filters(api: Api, query: str, numbers: list[int]) -> None:
    rows = [
        delivery(URL),
        delivery(URL, state="dead"),
        delivery("http://192.168.1.20:9999/", state="dead", job_id=8),
        delivery("http://plain.example/"),
    ]

    listed = api.get(f"/deliveries{query}").json()["deliveries"]

    assert [each["id"] for each in listed] == [str(rows[number].pk) for number in numbers]


def test_the_next_page_is_in_the_link_header(api: Api) -> None:
    rows = [delivery(URL, state="dead") for _ in range(3)]
    first = api.get("/deliveries?state=dead&limit=2")
    address, _, relation = first.headers["Link"].partition("; ")
    second = api.get(address.strip("<>"))

    assert relation == 'rel="next"'
    assert [each["id"] for each in second.json()["deliveries"]] == [str(rows[0].pk)]
    assert "Link" not in second.headers


@pytest.mark.parametrize("query", ["state=lost", "jobId=x", "host=a/b", "host=", "limit=0", "before=0", "host=a b"])
def test_nonsense_is_refused(api: Api, query: str) -> None:
    answer = api.get(f"/deliveries?{query}")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_payload")
    assert answer.json()["details"][0]["path"] == [query.partition("=")[0]]


# -- GET /deliveries/:id ------------------------------------------------------------------------------------------


def test_one_is_shown_with_its_attempts_and_its_body(api: Api, serve: Serve) -> None:
    row = delivery(serve(with_body(b"thank you")).url, attempts=1, body='{"a":"⏰"}')
    attempt(row)

    shown = api.get(f"/deliveries/{row.pk}").json()

    lost, taken = shown["attemptLog"]
    assert shown["body"] == '{"a":"⏰"}'
    assert (shown["state"], shown["attempts"], shown["lastStatus"]) == ("delivered", 2, 200)
    assert (lost["n"], lost["error"], lost["at"]) == (1, "sender_lost", None)
    assert set(taken) == set(lost) == {"n", "at", "ms", "status", "error", "detail", "body"}
    assert (taken["n"], taken["status"], taken["error"], taken["body"]) == (2, 200, None, "thank you")


def test_an_attempt_under_way_is_not_called_lost(api: Api) -> None:
    row = delivery(URL, attempts=1, sending=True)

    assert api.get(f"/deliveries/{row.pk}").json()["attemptLog"] == []


@pytest.mark.parametrize("path", ["999", "x", "9" * 30, "-1"])
def test_there_is_no_such_delivery(api: Api, path: str) -> None:
    assert api.get(f"/deliveries/{path}").status_code == 404
    assert api.post(f"/deliveries/{path}/replay").status_code == 404


# -- replay -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["dead", "delivered", "pending"])
def test_one_is_replayed_however_often_the_client_repeats_itself(api: Api, state: str) -> None:
    row = delivery(URL, state=state, next_attempt_at=None if state != "pending" else timezone.now() + HOUR)

    answers = [api.post(f"/deliveries/{row.pk}/replay") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == {"id": str(row.pk), "state": "pending"}
    row.refresh_from_db()
    assert row.state == "pending"


def test_a_range_is_replayed(api: Api) -> None:
    old = delivery(URL, state="dead", created_at=NOON - HOUR)
    new = delivery(URL, state="dead", created_at=NOON)
    delivery("https://other.example/", state="dead", created_at=NOON)

    answer = api.post(
        "/deliveries/replay",
        {"state": "dead", "host": "agent.example", "since": "2026-03-01T12:00:00Z", "until": "2026-03-01T13:00:00Z"},
    )

    assert (answer.status_code, answer.json()) == (202, {"replayed": 1})
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.state) == ("dead", "pending")


def test_of_very_many_the_answer_says_where_to_go_on(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.replay.MOST", 2)
    rows = [delivery(URL, state="dead") for _ in range(3)]

    first = api.post("/deliveries/replay", {"state": "dead"}).json()
    second = api.post("/deliveries/replay", {"state": "dead", "before": first["before"]}).json()

    assert first == {"replayed": 2, "before": str(rows[1].pk)}
    assert second == {"replayed": 1}


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, [["state"]]),
        ([], [[]]),
        ({"state": "lost"}, [["state"]]),
        ({"state": "dead", "hosts": "a"}, [["hosts"]]),
        (
            {"state": 1, "since": "yesterday", "until": 5, "host": "a/b", "before": 7},
            [["state"], ["since"], ["until"], ["host"], ["before"]],
        ),
    ],
)
def test_a_slip_in_a_range_replays_nothing(api: Api, body: Any, paths: list[Any]) -> None:
    row = delivery(URL, state="dead")

    answer = api.post("/deliveries/replay", body)

    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json()["details"]] == paths
    row.refresh_from_db()
    assert row.state == "dead"


# -- a test -------------------------------------------------------------------------------------------------------


def test_a_test_is_signed_and_its_answer_shown(api: Api, serve: Serve) -> None:
    server = serve(with_body(b"got it"))

    said = api.post("/deliveries/test", {"url": server.url}).json()

    _, _, body = server.requests[0].partition(b"\r\n\r\n")
    headers = headers_of(server.requests[0])
    assert headers["x-runner-event"] == "webhook.test"
    assert verify(headers=headers, body=body, secrets=[SECRET], now=timezone.now().timestamp()) == said["eventId"]
    assert said["ms"] >= 0
    assert {name: said[name] for name in ("delivered", "status", "error", "body")} == {
        "delivered": True,
        "status": 200,
        "error": None,
        "body": "got it",
    }
    assert not Delivery.objects.exists()
    assert not DeliveryAttempt.objects.exists()


def test_a_refusal_is_shown_too(api: Api, serve: Serve) -> None:
    said = api.post("/deliveries/test", {"url": serve(answering(500)).url}).json()

    assert (said["delivered"], said["status"], said["error"]) == (False, 500, "bad_status")


def test_so_is_a_receiver_that_is_not_there(api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    said = api.post("/deliveries/test", {"url": f"http://127.0.0.1:{port}/"}).json()

    assert (said["delivered"], said["status"], said["error"]) == (False, None, "connection_failed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "http://10.0.0.1/"}, "address_refused"),
        ({"url": "http://169.254.169.254/"}, "address_refused"),
        ({"url": "ftp://agent.example/"}, "url_refused"),
        ({"url": ""}, "required"),
        ({}, "required"),
        ([], "required"),
    ],
)
def test_a_test_goes_only_where_callbacks_may_go(api: Api, body: Any, code: str) -> None:
    answer = api.post("/deliveries/test", body)

    assert answer.status_code == 400
    assert answer.json()["details"][0]["code"] == code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/deliveries"),
        ("GET", "/deliveries/1"),
        ("POST", "/deliveries/1/replay"),
        ("POST", "/deliveries/replay"),
        ("POST", "/deliveries/test"),
    ],
)
def test_every_call_needs_the_token(api: Api, method: str, path: str) -> None:
    assert api.request(method, path, b"{}", Authorization="").status_code == 401
