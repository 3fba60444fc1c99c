"""Sending callbacks to real receivers on loopback."""

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pirunner.doorbell import Ring
from tests.parts import SECRET
from tests.webhooks.loopback import OK, Server, redirect, with_body
from tests.webhooks.making import answering, attempt, delivery, loopback, make_due
from webhooks import deliveries, sending
from webhooks.deliveries import answer_ring
from webhooks.lanes import SENDING
from webhooks.models import Delivery, DeliveryAttempt, Event, FailingHost
from webhooks.services import callback_policy
from webhooks.signing import verify

pytestmark = pytest.mark.usefixtures("committed_db")

__all__ = ["loopback"]

Serve = Callable[..., Server]


def headers_of(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def seconds_until_next(row: Delivery) -> float:
    assert row.next_attempt_at is not None
    return (row.next_attempt_at - timezone.now()).total_seconds()


# -- delivered ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(serve: Serve, status: int) -> None:
    row = delivery(serve(answering(status)).url)

    assert attempt(row) == "delivered"

    assert (row.state, row.attempts, row.last_status, row.last_error) == ("delivered", 1, status, "")
    assert row.delivered_at is not None
    assert row.next_attempt_at is None


def test_the_receiver_gets_the_bytes_and_can_verify_them(serve: Serve) -> None:
    server = serve()
    row = delivery(server.url + "hook", body='{"text":"⏰\\u0000"}')

    attempt(row)

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    headers = headers_of(server.requests[0])
    assert head.startswith(b"POST /hook HTTP/1.1\r\n")
    assert body == row.body.encode()
    assert (headers["content-type"], headers["x-runner-event"]) == ("application/json", "job.completed")
    assert verify(headers=headers, body=body, secrets=[SECRET], now=time.time()) == row.event_id


def test_a_delivered_one_is_not_sent_again(serve: Serve) -> None:
    server = serve()
    row = delivery(server.url)

    assert [attempt(row), attempt(row)] == ["delivered", "skipped"]

    assert len(server.requests) == 1


# -- retried ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
def test_any_other_answer_is_tried_again_later(serve: Serve, status: int) -> None:
    row = delivery(serve(answering(status)).url)

    assert attempt(row) == "pending"

    assert (row.attempts, row.last_status) == (1, status)
    assert row.last_error == f"The receiver answered {status}."
    assert row.delivered_at is None
    assert 0.5 < seconds_until_next(row) < 1.1


def test_the_pause_doubles(serve: Serve, owner: Any) -> None:
    owner.CALLBACK_RETRY_MS = 60_000
    row = delivery(serve(answering(500)).url)
    pauses = []
    for _ in range(2):
        make_due(row)
        attempt(row)
        pauses.append(seconds_until_next(row))

    assert pauses == pytest.approx([60, 120], abs=5)


def test_what_is_not_due_is_not_sent(serve: Serve) -> None:
    server = serve()
    row = delivery(server.url, next_attempt_at=timezone.now() + timedelta(seconds=60))

    assert attempt(row) == "skipped"

    assert (server.requests, row.attempts) == ([], 0)


def test_retry_after_is_honoured(serve: Serve) -> None:
    row = delivery(serve(answering(503, "Retry-After: 120")).url)

    attempt(row)

    assert seconds_until_next(row) == pytest.approx(120, abs=5)


def test_every_attempt_has_the_same_id_and_body_and_a_fresh_timestamp(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answering(500))
    row = delivery(server.url)
    attempt(row)
    make_due(row)
    later = timezone.now() + timedelta(seconds=30)
    monkeypatch.setattr("webhooks.sending.timezone.now", lambda: later)
    attempt(row)

    first, second = map(headers_of, server.requests)
    assert first["webhook-id"] == second["webhook-id"] == row.event_id
    assert server.requests[0].partition(b"\r\n\r\n")[2] == server.requests[1].partition(b"\r\n\r\n")[2]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) >= 29
    assert first["webhook-signature"] != second["webhook-signature"]


def test_a_receiver_that_comes_back_gets_it(serve: Serve) -> None:
    server = serve(answering(500))
    row = delivery(server.url)
    attempt(row)
    server.behave = lambda stream: stream.sendall(OK)
    make_due(row)

    assert attempt(row) == "delivered"
    assert (row.attempts, row.last_error) == (2, "")


# -- dead ---------------------------------------------------------------------------------------------------------


def test_after_the_last_attempt_it_is_dead(serve: Serve) -> None:
    server = serve(answering(500))
    row = delivery(server.url)
    states = []
    for _ in range(4):
        make_due(row)
        states.append(attempt(row))

    assert states == ["pending", "pending", "dead", "skipped"]
    assert (row.state, row.attempts, row.last_status) == ("dead", 3, 500)
    assert len(server.requests) == 3


def test_gone_is_dead_at_once(serve: Serve) -> None:
    row = delivery(serve(answering(410)).url)

    assert attempt(row) == "dead"
    assert (row.attempts, row.last_status, row.next_attempt_at) == (1, 410, None)


def test_gone_ends_what_else_waits_for_the_address(serve: Serve) -> None:
    server = serve(answering(410))
    row = delivery(server.url)
    same = delivery(server.url, next_attempt_at=timezone.now() + timedelta(hours=1))
    under_way = delivery(server.url, sending=True, next_attempt_at=timezone.now() + SENDING)
    other = delivery(server.url + "other", next_attempt_at=timezone.now() + timedelta(hours=1))

    attempt(row)

    states = {each.pk: each.state for each in Delivery.objects.all()}
    assert states == {row.pk: "dead", same.pk: "dead", under_way.pk: "pending", other.pk: "pending"}
    told = [json.loads(event.payload)["deliveryId"] for event in Event.objects.order_by("seq")]
    assert told == [str(row.pk), str(same.pk)]
    assert len(server.requests) == 1


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://10.0.0.1/", "nonsense"])
def test_what_may_never_be_called_is_dead_at_once(url: str) -> None:
    row = delivery(url)

    assert attempt(row) == "dead"
    assert row.last_status is None
    assert row.last_error


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    other = serve()
    row = delivery(serve(redirect(other.url)).url)

    assert attempt(row) == "pending"
    assert (row.last_status, other.requests) == (302, [])


def test_a_list_that_was_narrowed_meanwhile_closes_the_way(serve: Serve, owner: Any) -> None:
    server = serve()
    row = delivery(server.url)
    owner.CALLBACK_ALLOWED_HOSTS = ()

    assert attempt(row) == "dead"
    assert server.requests == []


# -- receivers that misbehave -------------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    row = delivery(f"http://127.0.0.1:{port}/")

    assert attempt(row) == "pending"
    assert row.last_status is None
    assert "could not be connected to" in row.last_error


def hang_up(_stream: Any) -> None:
    return


def talk_nonsense(stream: Any) -> None:
    stream.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.mark.parametrize("behave", [hang_up, talk_nonsense])
def test_a_receiver_that_does_not_answer_in_http(serve: Serve, behave: Any) -> None:
    row = delivery(serve(behave).url)

    assert attempt(row) == "pending"
    assert row.last_error


def test_a_receiver_that_hangs_is_left_after_a_time(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = replace(callback_policy(), total_timeout=0.2)
    monkeypatch.setattr(sending, "callback_policy", lambda: patient)
    over = threading.Event()
    row = delivery(serve(lambda _stream: over.wait(10)).url)
    begun = time.monotonic()

    assert attempt(row) == "pending"

    assert time.monotonic() - begun < 3
    assert "not complete after 0.2 seconds" in row.last_error
    over.set()


def test_the_time_for_a_receiver_is_what_is_promised() -> None:
    policy = callback_policy()

    assert (policy.connect_timeout, policy.total_timeout, policy.max_redirects) == (5.0, 15.0, 0)
    assert timedelta(seconds=policy.total_timeout) < SENDING


def test_a_long_answer_is_delivered_all_the_same(serve: Serve) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000

    assert attempt(delivery(serve(answer).url)) == "delivered"


def test_a_fault_of_our_own_counts_as_an_attempt(serve: Serve, owner: Any) -> None:
    owner.WEBHOOK_SECRET = "whsec_*** is no base64"
    server = serve()
    row = delivery(server.url)

    assert attempt(row) == "pending"
    assert (row.attempts, server.requests) == (1, [])
    assert "could not be sent" in row.last_error


# -- what is noted ------------------------------------------------------------------------------------------------


def test_every_attempt_is_noted(serve: Serve) -> None:
    server = serve(answering(500))
    row = delivery(server.url)
    attempt(row)
    server.behave = lambda stream: stream.sendall(with_body("tak\x00 \u23f0 \udcff".encode("utf-8", "surrogateescape")))
    make_due(row)
    attempt(row)

    first, second = DeliveryAttempt.objects.order_by("number")
    assert (first.number, first.status, first.error, first.body) == (1, 500, "bad_status", "")
    assert first.detail == "The receiver answered 500."
    assert (second.number, second.status, second.error, second.detail) == (2, 200, "", "")
    assert second.body == "tak\ufffd \u23f0 \ufffd"
    assert 0 <= first.ms < 5000
    assert row.created_at <= first.at <= second.at <= timezone.now()


def test_of_a_long_answer_16_kib_are_kept(serve: Serve) -> None:
    attempt(delivery(serve(with_body(b"x" * 1_000_000)).url))

    assert DeliveryAttempt.objects.get().body == "x" * 16 * 1024


def test_an_attempt_that_was_not_answered_says_why() -> None:
    attempt(delivery("http://10.0.0.1/"))

    noted = DeliveryAttempt.objects.get()
    assert (noted.status, noted.error, noted.body) == (None, "address_refused", "")
    assert "not public" in noted.detail


def test_a_death_is_told_in_the_feed_and_called_back_to_nobody(serve: Serve, rings: list[Any]) -> None:
    row = delivery(serve(answering(410)).url)

    attempt(row)

    event = Event.objects.get()
    assert (event.kind, event.job_id) == ("delivery.dead", 41)
    assert json.loads(event.payload) == {
        "deliveryId": str(row.pk),
        "jobId": "41",
        "event": "job.completed",
        "eventId": row.event_id,
        "host": row.host,
        "attempts": 1,
        "lastStatus": 410,
        "lastError": "The receiver answered 410.",
    }
    assert Delivery.objects.count() == 1
    assert rings == []


def test_what_lives_is_told_to_nobody(serve: Serve) -> None:
    attempt(delivery(serve().url))
    attempt(delivery(serve(answering(500)).url))

    assert not Event.objects.exists()


# -- the host -----------------------------------------------------------------------------------------------------


def test_a_host_that_fails_is_counted_and_forgotten_when_it_answers(serve: Serve) -> None:
    server = serve(hang_up)
    row = delivery(server.url)
    for _ in range(2):
        make_due(row)
        attempt(row)
    assert FailingHost.objects.get(host=server.entry).failures == 2

    server.behave = lambda stream: stream.sendall(answering(404))
    make_due(row)
    attempt(row)

    assert not FailingHost.objects.exists()


def test_a_host_that_asks_for_less_is_left_in_peace(serve: Serve) -> None:
    server = serve(answering(429, "Retry-After: 120"))
    attempt(delivery(server.url))

    other = delivery(server.url)
    assert attempt(other) == "skipped"

    assert (other.attempts, len(server.requests)) == (0, 1)
    pause = FailingHost.objects.get().paused_until - timezone.now()
    assert pause.total_seconds() == pytest.approx(120, abs=5)


def test_an_ordinary_refusal_pauses_nobody(serve: Serve) -> None:
    server = serve(answering(500))
    for _ in range(5):
        attempt(delivery(server.url))

    assert not FailingHost.objects.exists()
    assert len(server.requests) == 5


# -- one ring, many deliveries ------------------------------------------------------------------------------------


def test_one_ring_is_enough_for_all_that_is_due_at_a_host(serve: Serve, rings: list[Any]) -> None:
    server = serve()
    rows = [delivery(server.url) for _ in range(5)]

    assert answer_ring(rows[3].pk) == "delivered"

    assert len(server.requests) == 5
    assert not Delivery.objects.exclude(state="delivered").exists()
    assert rings == []


def test_after_a_while_it_is_the_turn_of_other_hosts(
    serve: Serve, rings: list[Ring], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "CHAIN_SECONDS", 0.0)
    server = serve()
    rows = [delivery(server.url) for _ in range(3)]

    answer_ring(rows[0].pk)

    assert len(server.requests) == 1
    assert [ring.row_id for ring in rings] == [rows[1].pk]


def test_a_host_that_fails_again_and_again_is_left_before_all_is_tried(serve: Serve) -> None:
    server = serve(hang_up)
    rows = [delivery(server.url) for _ in range(10)]

    answer_ring(rows[0].pk)

    assert len(server.requests) == 3
    assert Delivery.objects.filter(attempts=0).count() == 7
