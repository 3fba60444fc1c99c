"""Waiting until something is so: read, and read again after news."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from tests.parts import at_once, wait_for
from tests.webhooks.making import new_event
from webhooks.models import Event
from webhooks.services import record_events
from webhooks.watcher import EVENTS, Watcher

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher = Watcher()
    watcher.add_source(EVENTS, Event)
    yield watcher
    watcher.stop()


def count_events() -> int:
    return Event.objects.filter(job_id=41).count()


def wait(watcher: Watcher, seconds: float, read: Callable[[], int] = count_events) -> int:
    return watcher.read_until(41, read, bool, seconds)


def happen(watcher: Watcher, *, waiters: int = 1) -> threading.Thread:
    """Let something happen to job 41 as soon as so many wait."""

    def run() -> None:
        wait_for(lambda: watcher._waiting == waiters)
        record_events([new_event()])
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_what_is_so_already_is_not_waited_for(watcher: Watcher) -> None:
    record_events([new_event()])

    assert wait(watcher, 30) == 1
    assert watcher._waiting == 0


def test_an_event_ends_the_wait(watcher: Watcher) -> None:
    begun = time.monotonic()
    thread = happen(watcher)

    assert wait(watcher, 30) == 1

    thread.join()
    assert time.monotonic() - begun < 10


def test_many_are_woken_by_one_event(watcher: Watcher) -> None:
    thread = happen(watcher, waiters=10)

    outcomes = at_once([lambda: wait(watcher, 30)] * 10)

    thread.join()
    assert outcomes == [1] * 10


def test_when_nothing_happens_it_gives_up_in_time(watcher: Watcher) -> None:
    begun = time.monotonic()

    assert wait(watcher, 0.1) == 0

    assert 0.1 <= time.monotonic() - begun < 5
    assert watcher._waiting == 0


def test_without_news_nothing_is_read_again(watcher: Watcher) -> None:
    reads: list[int] = []

    assert wait(watcher, 0.4, lambda: reads.append(1) or 0) == 0  # type: ignore[func-returns-value]

    assert len(reads) <= 3  # at first, after the watcher's first look, and at the end


def test_a_place_is_given_up_when_reading_fails(watcher: Watcher) -> None:
    def fail() -> int:
        raise KeyError("job")

    with pytest.raises(KeyError):
        wait(watcher, 30, fail)

    assert watcher._waiting == 0
