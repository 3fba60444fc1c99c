"""Parts that the tests of several apps share: the owner's settings, a doorbell that is heard, a client of the API."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from django.db import connection
from django.test import Client

from pirunner.access import paces, wrong_tokens
from pirunner.doorbell import Ring, doorbell
from pirunner.tokens.register import register

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

T = TypeVar("T")
TOKEN = "test-token-7f3a"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(autouse=True)
def owner(settings: Any, tmp_path: Path) -> Any:
    """The owner's settings: everything is written below the test's folder, and there is no broker."""
    settings.RUNNER_API_TOKEN = TOKEN
    settings.WEBHOOK_SECRET = SECRET
    settings.WEBHOOK_SECRET_PREVIOUS = ""
    settings.WEBHOOK_SECRET_PREVIOUS_UNTIL = None
    settings.RUNNER_DATA_DIR = tmp_path
    settings.DATA_DIR = tmp_path / "artifacts"
    settings.RUNNER_JOBS = ()
    settings.CALLBACK_URL = ""
    settings.CALLBACK_ALLOWED_HOSTS = ()
    settings.FETCH_ALLOWED_HOSTS = ()
    settings.CELERY_BROKER_URL = "memory://"
    for buckets in (wrong_tokens, paces):  # all tests call from one address
        buckets.clear()
    register.forget()
    return settings


@pytest.fixture(autouse=True)
def rings(monkeypatch: pytest.MonkeyPatch) -> list[Ring]:
    """What was rung; nothing of it goes to a broker."""
    heard: list[Ring] = []
    monkeypatch.setattr(doorbell, "ring", heard.extend)
    return heard


class Api:
    """A client with the bearer token; whatever the program raises, the test raises."""

    def __init__(self) -> None:
        self._client = Client()

    def post(self, path: str, body: Any = None, **headers: str) -> "Answer":
        """Send a body as JSON; bytes are sent as they are. A header ``a_b`` is ``A-B``."""
        return self._send("POST", path, body, headers)

    def get(self, path: str, **headers: str) -> "Answer":
        """Read."""
        return self.request("GET", path, b"", **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> "Answer":
        """Send a body as JSON, as ``post`` does."""
        return self._send("PUT", path, body, headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> "Answer":
        """Send a body as JSON, as ``post`` does."""
        return self._send("PATCH", path, body, headers)

    def delete(self, path: str, **headers: str) -> "Answer":
        """Delete."""
        return self.request("DELETE", path, b"", **headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> "Answer":
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request(method, path, raw, **headers)

    def request(self, method: str, path: str, raw: bytes = b"", **headers: str) -> "Answer":
        """Send a request; an empty header is left out."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **named}
        content_type = sent.pop("Content-Type")
        sent = {name: value for name, value in sent.items() if value}
        return self._client.generic(method, path, raw, headers=sent, CONTENT_TYPE=content_type)


@pytest.fixture
def api() -> Api:
    """A client of the API."""
    return Api()


def wait_for(condition: Callable[[], T], seconds: float = 10.0) -> T:
    """Return what ``condition`` returns as soon as it is true; fails when time is over."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not true within {seconds:g} s"
        time.sleep(0.005)
    return value


def at_once(calls: Iterable[Callable[[], T]]) -> list[T | Exception]:
    """Make calls at the same instant, each in a thread with its own connection; return results or errors in order."""
    work = list(calls)
    barrier = threading.Barrier(len(work))
    outcomes: list[Any] = [None] * len(work)

    def make(number: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            outcomes[number] = work[number]()
        except Exception as error:  # noqa: BLE001  (it is the outcome)
            outcomes[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=make, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return outcomes
