"""The clock's sign of life."""

import os
from collections.abc import Iterator

import pytest

from pirunner import lifesign
from pirunner.up.programs import clock_stalled


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(lifesign, "_page", None)
    yield
    if lifesign._page is not None:
        lifesign._page.close()


def test_without_a_page_a_tick_does_nothing():
    lifesign.tick()

    assert lifesign.age() is None


def test_a_tick_of_a_forked_process_is_seen():
    lifesign.open_page()
    assert lifesign.age() is None

    child = os.fork()
    if child == 0:
        lifesign.tick()
        os._exit(0)
    os.waitpid(child, 0)

    age = lifesign.age()
    assert age is not None
    assert 0 <= age < 5


def test_a_tick_is_forgotten_for_the_next_clock():
    lifesign.open_page()
    lifesign.tick()

    lifesign.forget()

    assert lifesign.age() is None


@pytest.mark.parametrize(
    ("age", "lived", "stalled"),
    [(None, 59.0, False), (None, 61.0, True), (14.0, 1000.0, False), (16.0, 1000.0, True)],
)
def test_when_a_clock_has_stopped(monkeypatch: pytest.MonkeyPatch, age: float | None, lived: float, stalled: bool):
    monkeypatch.setattr(lifesign, "age", lambda: age)

    assert clock_stalled(lived) is stalled
