"""``/health`` with a real Redis, and with none."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from jobs.models import Canary
from pirunner import health, signs
from pirunner.signs import alive, show_life, workers_alive
from pirunner.up.broker import PrivateBroker, _find_binary
from tests.parts import Api, wait_for

pytestmark = pytest.mark.django_db

Parts = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateBroker]:
    """A Redis on a unix socket, whose path must be short."""
    folder = Path(tempfile.mkdtemp(prefix="pirunner-test-", dir="/tmp"))
    binary = _find_binary()
    broker = PrivateBroker(binary, folder)
    process = subprocess.Popen([binary, *broker._options("")])
    try:
        wait_for(broker.answers)
        yield broker
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


@pytest.fixture
def redis(server: PrivateBroker, owner: Any) -> Iterator[PrivateBroker]:
    """The Redis, empty, as the broker."""
    owner.CELERY_BROKER_URL = server.url
    client = signs._client()
    assert client is not None
    yield server
    client.flushall()


@pytest.fixture
def everybody(redis: PrivateBroker) -> None:  # noqa: ARG001
    show_life("worker", "worker@pi")
    show_life("clock", "pi:1")
    show_life("relay", "pi:2")


def read(api: Api) -> tuple[int, Parts]:
    answer = api.get("/health", Authorization="")
    return answer.status_code, answer.json()


def states(body: Parts) -> dict[str, str]:
    return {name: part["state"] for name, part in body.items() if isinstance(part, dict)}


# -- well ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("everybody")
def test_all_is_well(api: Api) -> None:
    status, body = read(api)

    assert (status, body["ok"], body["service"]) == (200, True, "api")
    beside = {"relay": "ok", "installer": "unused", "schedules": "ok"}
    assert states(body) == beside | dict.fromkeys(("database", "broker", "workers", "beat", "canary", "disk"), "ok")
    assert (body["workers"]["alive"], body["beat"]["alive"]) == (1, 1)
    assert body["disk"]["freeBytes"] > 0


# -- ill ----------------------------------------------------------------------------------------------------------


def no_worker(_owner: Any, _monkeypatch: pytest.MonkeyPatch) -> None:
    client = signs._client()
    assert client is not None
    client.delete(f"{signs.PREFIX}worker:worker@pi")


def no_clock(_owner: Any, _monkeypatch: pytest.MonkeyPatch) -> None:
    client = signs._client()
    assert client is not None
    client.delete(f"{signs.PREFIX}clock:pi:1")


def no_broker(owner: Any, _monkeypatch: pytest.MonkeyPatch) -> None:
    owner.CELERY_BROKER_URL = "redis+socket:///nowhere/redis.sock"


def no_space(_owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 2**63)


def no_folder(owner: Any, _monkeypatch: pytest.MonkeyPatch) -> None:
    owner.RUNNER_DATA_DIR = owner.RUNNER_DATA_DIR / "gone"


def no_database(_owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def cursor(self) -> Any:
            raise OperationalError("the server is away")

    monkeypatch.setattr(health, "connection", Broken())


def silent_canary(_owner: Any, _monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    Canary.objects.update_or_create(
        pk=1, defaults={"asked_at": long_ago, "rung_at": long_ago, "answered_at": long_ago - timedelta(hours=1)}
    )


@pytest.mark.usefixtures("everybody")
@pytest.mark.parametrize(
    ("break_it", "part", "state"),
    [
        (no_worker, "workers", "down"),
        (no_clock, "beat", "down"),
        (no_broker, "broker", "down"),
        (no_broker, "workers", "unknown"),
        (no_space, "disk", "full"),
        (no_folder, "disk", "down"),
        (no_database, "database", "down"),
        (silent_canary, "canary", "silent"),
    ],
)
def test_what_is_missing_is_told(
    owner: Any, monkeypatch: pytest.MonkeyPatch, break_it: Callable[..., None], part: str, state: str
) -> None:
    break_it(owner, monkeypatch)

    status, body = read(Api())

    assert (status, body["ok"]) == (503, False)
    assert states(body)[part] == state


@pytest.mark.usefixtures("everybody")
@pytest.mark.parametrize(("switched_on", "state"), [(True, "silent"), (False, "off")])
def test_without_the_relay_jobs_run_all_the_same(owner: Any, switched_on: bool, state: str) -> None:
    owner.RELAY = switched_on
    client = signs._client()
    assert client is not None
    client.delete(f"{signs.PREFIX}relay:pi:2")

    status, body = read(Api())

    assert (status, body["ok"], states(body)["relay"]) == (200, True, state)


def test_a_broker_that_is_away_is_noticed_in_time(api: Api, owner: Any) -> None:
    owner.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    begun = time.monotonic()

    read(api)

    assert time.monotonic() - begun < 5


# -- signs of life ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("redis")
def test_signs_of_life_are_counted_by_role() -> None:
    show_life("worker", "worker@a")
    show_life("worker", "worker@b")
    show_life("worker", "worker@b")
    show_life("io", "io@a")

    assert alive("worker") == ["worker@a", "worker@b"]
    assert (alive("io"), alive("clock")) == (["io@a"], [])
    assert workers_alive() == 2


@pytest.mark.usefixtures("redis")
def test_a_sign_of_life_fades() -> None:
    show_life("worker", "worker@a")
    client = signs._client()

    assert client is not None
    assert 0 < client.ttl(f"{signs.PREFIX}worker:worker@a") <= signs.LIFETIME
    assert signs.LIFETIME > 2 * signs.EVERY


@pytest.mark.parametrize("url", ["memory://", "amqp://127.0.0.1//", "redis+socket:///nowhere/redis.sock"])
def test_without_a_redis_nobody_knows(owner: Any, url: str) -> None:
    owner.CELERY_BROKER_URL = url

    show_life("worker", "worker@a")

    assert (alive("worker"), workers_alive()) == (None, None)


@pytest.mark.usefixtures("redis")
def test_who_does_not_live_shows_no_sign() -> None:
    lives: list[bool] = []
    sign = signs.LifeSign("relay", "pi:2", lives=lambda: bool(lives))
    sign.start()
    assert alive("relay") == []

    lives.append(True)

    wait_for(lambda: alive("relay") == ["pi:2"])
    sign.stop()
