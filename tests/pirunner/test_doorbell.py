"""The doorbell: rings go out soon, or are left to the clock; nobody ever waits for it."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pirunner import doorbell as module
from pirunner.doorbell import ENOUGH, Doorbell, Ring, distinct
from tests.parts import wait_for

ONE = Ring("jobs.slow", 1, "jobs")
TWO = Ring("jobs.slow", 2, "jobs")
LIGHT = Ring("jobs.ping", 3, "jobs", shared=True)
LIGHT_TOO = Ring("jobs.ping", 4, "jobs", shared=True)


def no_depth(_queue: str) -> int:
    raise AssertionError("nobody asks for the depth of a queue")


class Broker:
    """Takes rings, unless it is away."""

    def __init__(self) -> None:
        self.heard: list[Ring] = []
        self.away: Exception | None = None
        self.attempts = 0

    def publish(self, ring: Ring) -> None:
        self.attempts += 1
        if self.away is not None:
            raise self.away
        self.heard.append(ring)


@pytest.fixture
def broker() -> Broker:
    return Broker()


def bell(broker: Broker, depth: Callable[[str], int] = no_depth) -> Doorbell:
    return Doorbell(broker.publish, depth)


# -- which rings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rings", "kept"),
    [
        ([], []),
        ([ONE, TWO], [ONE, TWO]),
        ([TWO, ONE], [TWO, ONE]),
        ([LIGHT, LIGHT_TOO], [LIGHT]),
        ([LIGHT, ONE, LIGHT_TOO, TWO], [LIGHT, ONE, TWO]),
        (
            [LIGHT, Ring("jobs.ping", 5, "other", shared=True), Ring("jobs.reminder", 6, "jobs", shared=True)],
            [LIGHT, Ring("jobs.ping", 5, "other", shared=True), Ring("jobs.reminder", 6, "jobs", shared=True)],
        ),
    ],
)
def test_of_shared_rings_of_one_task_and_queue_one_is_kept(rings: list[Ring], kept: list[Ring]) -> None:
    assert distinct(rings) == kept


# -- publishing ---------------------------------------------------------------------------------------------------


def test_rings_go_out_in_order(broker: Broker) -> None:
    bell(broker).ring([ONE, LIGHT, TWO])

    assert wait_for(lambda: len(broker.heard) == 3)
    assert broker.heard == [ONE, LIGHT, TWO]


def test_ringing_nothing_starts_no_work(broker: Broker) -> None:
    doorbell = bell(broker)
    doorbell.ring([])
    doorbell.ring([ONE])

    assert wait_for(lambda: broker.heard == [ONE])


def test_ringing_never_waits_for_the_broker() -> None:
    published, go_on = threading.Event(), threading.Event()

    def hang(_ring: Ring) -> None:
        published.set()
        go_on.wait(10)

    doorbell = Doorbell(hang, no_depth)
    begun = time.monotonic()
    doorbell.ring([ONE])
    assert published.wait(10)
    doorbell.ring([TWO] * 100)

    assert time.monotonic() - begun < 5
    go_on.set()


def test_while_the_broker_is_away_the_rings_of_that_time_are_dropped(broker: Broker) -> None:
    doorbell = bell(broker)
    broker.away = ConnectionError("Connection refused")
    doorbell.ring([ONE, TWO])
    wait_for(lambda: broker.attempts)
    wait_for(doorbell._rings.empty)
    wait_for(lambda: doorbell._away)

    broker.away = None
    doorbell.ring([LIGHT])

    wait_for(lambda: broker.heard)
    assert broker.heard == [LIGHT]
    assert broker.attempts == 2


def test_an_outage_is_logged_once(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    doorbell = bell(broker)
    broker.away = ConnectionError("Connection refused")
    for attempts in range(1, 4):
        doorbell.ring([ONE])
        wait_for(lambda attempts=attempts: broker.attempts == attempts)  # type: ignore[misc]
    wait_for(lambda: doorbell._away)

    assert caplog.text.count("The broker is away") == 1


def test_what_does_not_fit_into_the_queue_is_left_to_the_clock(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CAPACITY", 2)
    doorbell = bell(broker)
    monkeypatch.setattr(doorbell, "_start", lambda: None)
    doorbell.ring([ONE, TWO, LIGHT, LIGHT_TOO])

    monkeypatch.undo()
    doorbell.ring([])
    wait_for(lambda: len(broker.heard) == 2)
    assert broker.heard == [ONE, TWO]


# -- rings that come again ----------------------------------------------------------------------------------------

AGAIN = Ring("jobs.slow", 1, "jobs", again=True)


@pytest.mark.parametrize(("depth", "heard"), [(0, 1), (ENOUGH - 1, 1), (ENOUGH, 0), (10 * ENOUGH, 0)])
def test_a_ring_comes_again_only_while_the_queue_is_short(broker: Broker, depth: int, heard: int) -> None:
    bell(broker, lambda _queue: depth).ring([AGAIN, ONE])

    wait_for(lambda: ONE in broker.heard)
    assert broker.heard.count(AGAIN) == heard


def test_the_depth_is_asked_once_per_batch_and_queue(broker: Broker) -> None:
    asked: list[str] = []

    def depth(queue: str) -> int:
        asked.append(queue)
        return 0

    doorbell = bell(broker, depth)
    doorbell._publish_all([AGAIN, AGAIN, Ring("webhooks.deliver", 1, "webhooks", again=True)])

    assert asked == ["jobs", "webhooks"]
    assert len(broker.heard) == 3


# -- processes ----------------------------------------------------------------------------------------------------


def test_a_forked_child_rings_with_a_thread_of_its_own() -> None:
    reader, writer = os.pipe()

    def tell(ring: Ring) -> None:
        os.write(writer, b"%d\n" % ring.row_id)

    doorbell = Doorbell(tell, no_depth)
    doorbell.ring([ONE])
    assert os.read(reader, 100) == b"1\n"

    pid = os.fork()
    if pid == 0:  # pragma: no cover  (the child)
        doorbell.ring([TWO])
        deadline = time.monotonic() + 10
        while not doorbell._rings.empty() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.05)
        os._exit(0)

    assert os.read(reader, 100) == b"2\n"
    assert os.waitpid(pid, 0)[1] == 0
    os.close(reader)
    os.close(writer)


def test_a_thread_that_died_is_replaced(broker: Broker) -> None:
    doorbell = bell(broker)
    dead = threading.Thread(target=lambda: None)
    dead.start()
    dead.join()
    doorbell._thread = dead

    doorbell.ring([ONE])

    assert wait_for(lambda: broker.heard == [ONE])


def test_celery_is_told_task_row_queue_and_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    class App:
        def send_task(self, *args: Any, **named: Any) -> None:
            sent.append((args, named))

    monkeypatch.setattr(module, "current_app", App())

    module.publish(Ring("jobs.slow", 7, "jobs", priority=1))

    assert sent == [(("jobs.slow",), {"args": [7], "queue": "jobs", "priority": 0, "ignore_result": True})]
