"""What the tests of the relay share: callbacks, a Telegram on loopback, and services by URL."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.parts import owner, rings
from tests.webhooks.conftest import serve
from tests.webhooks.loopback import Server
from webhooks.receiver import VerifiedCallback

__all__ = ["owner", "rings", "serve"]

TOKEN = "123456789:AbC-dEf_0123"
Serve = Callable[..., Server]


def callback(event_id: str = "evt_1", **fields: Any) -> VerifiedCallback:
    """Return a genuine callback of a ping that has ended."""
    payload = {"jobId": "1", "jobType": "ping", "status": "completed", "summary": "pong", **fields}
    return VerifiedCallback("job.completed", event_id, payload, json.dumps(payload).encode())


@pytest.fixture(autouse=True)
def _nobody_to_tell(owner: Any) -> None:
    """The owner has no services, until a test says otherwise."""
    owner.TELEGRAM_BOT_TOKEN = owner.TELEGRAM_CHAT_ID = ""
    owner.NOTIFY_URLS = ()
    owner.NOTIFY_RECIPIENTS = {}


@pytest.fixture
def telegram(owner: Any, serve: Serve) -> Callable[..., Server]:
    """Configures a Telegram that answers as told."""

    def start(answer: Any) -> Server:
        server = serve(answer)
        owner.TELEGRAM_BOT_TOKEN, owner.TELEGRAM_CHAT_ID = TOKEN, "-10042"
        owner.TELEGRAM_API_URL = f"http://127.0.0.1:{server.port}"
        return server

    return start


def answer(status: int, **body: Any) -> bytes:
    """Return an answer with a JSON object."""
    content = json.dumps(body).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(content)) + content


def body_of(request: bytes) -> dict[str, Any]:
    """Return the JSON object of a request."""
    return dict(json.loads(request.partition(b"\r\n\r\n")[2]))
