"""One call of Telegram's Bot API, with a real server in Telegram's place."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.webhooks.loopback import Server
from tests.webhooks.relay.conftest import TOKEN, answer, body_of
from webhooks.relay.outcome import Sent
from webhooks.relay.telegram import send

Telegram = Callable[..., Server]


def test_a_message_is_sent_as_plain_text(telegram: Telegram) -> None:
    server = telegram(answer(200, ok=True, result={}))

    assert send("⏰ *Water* <b>the</b> plants") == Sent()

    (request,) = server.requests
    assert request.startswith(f"POST /bot{TOKEN}/sendMessage HTTP/1.1\r\n".encode())
    body = body_of(request)
    assert (body["chat_id"], body["text"]) == ("-10042", "⏰ *Water* <b>the</b> plants")
    assert "parse_mode" not in body


@pytest.mark.parametrize(
    ("given", "error", "retry_after"),
    [
        (answer(401, ok=False, description="Unauthorized"), "Telegram answered 401: Unauthorized.", None),
        (answer(400, ok=False, description="chat not found"), "Telegram answered 400: chat not found.", None),
        (answer(429, ok=False, parameters={"retry_after": 35}), "Telegram answered 429.", 35.0),
        (answer(429, ok=False, parameters={"retry_after": -5}), "Telegram answered 429.", None),
        (answer(429, ok=False, parameters=[1]), "Telegram answered 429.", None),
        (answer(200, ok=False), "Telegram answered 200.", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwhat", "Telegram answered 200.", None),
        (b"HTTP/1.1 502 X\r\nContent-Length: 2\r\n\r\n[]", "Telegram answered 502.", None),
        (b"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "Telegram answered 302.", None),
    ],
)
def test_a_refusal_says_why(telegram: Telegram, given: bytes, error: str, retry_after: Any) -> None:
    telegram(given)

    assert send("x") == Sent(error, retry_after)


@pytest.mark.parametrize("given", [answer(404, description=f"no /bot{TOKEN}/sendMessage"), b"nonsense"])
def test_the_token_is_never_told(telegram: Telegram, given: bytes) -> None:
    telegram(given)

    error = send("x").error

    assert error
    assert TOKEN not in error


def test_a_server_that_is_away_is_an_error(telegram: Telegram, owner: Any) -> None:
    telegram(b"")
    owner.TELEGRAM_API_URL = "http://127.0.0.1:9"

    error = send("x").error

    assert error.startswith("Telegram could not be reached: ")
    assert TOKEN not in error
