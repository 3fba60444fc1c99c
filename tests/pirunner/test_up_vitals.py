"""When a part is ready, and when it shows that it works."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from pirunner.up.notify import Notifier
from pirunner.up.vitals import LONGEST_SILENCE, Answer, Vitals, Works


@dataclass(frozen=True)
class Told(Notifier):
    """A notifier that keeps what it was told."""

    lines: list[str] = field(default_factory=list)

    def tell(self, *lines: str) -> None:
        self.lines.extend(lines)


def test_ready_is_said_once_when_all_work_and_then_only_that_they_still_do() -> None:
    works = {"api": False, "io": True}
    told, said = Told("/run/n", 30.0), list[str]()
    vitals = Vitals({name: Works(lambda name=name: works[name]) for name in works}, told, said.append)  # type: ignore[misc]

    vitals.look(1.0)
    assert told.lines == []
    works["api"] = True
    vitals.look(2.0)
    assert (told.lines, said) == (["READY=1", "WATCHDOG=1"], ["api and io ready"])
    vitals.look(31.0)
    vitals.look(33.0)
    assert told.lines[2:] == ["WATCHDOG=1"]
    works["io"] = False
    vitals.look(64.0)
    vitals.look(65.0)
    assert told.lines[3:] == []


def test_without_a_watchdog_nobody_is_asked_again() -> None:
    asked = list[float]()
    vitals = Vitals({"redis": Works(lambda: not asked.append(0.0))}, Notifier(), lambda _: None)  # type: ignore[func-returns-value]

    for now in range(100):
        vitals.look(float(now))

    assert len(asked) == 1


def test_an_answer_is_asked_for_by_somebody_else_and_one_at_a_time() -> None:
    asked = list[Callable[[bool], None]]()
    answer = Answer("http://127.0.0.1:1", lambda _name, _main, then: asked.append(then))

    assert not answer.is_felt(0.0)
    assert not answer.is_felt(10.0)
    assert len(asked) == 1
    asked[0](False)
    assert not answer.is_felt(11.0)
    assert len(asked) == 2


def test_an_answer_counts_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Callable[[bool], None]]()
    answer = Answer("http://127.0.0.1:1", lambda _name, _main, then: asked.append(then))
    monkeypatch.setattr("pirunner.up.vitals.time.monotonic", lambda: 100.0)
    answer.is_felt(100.0)
    asked[0](True)

    assert answer.is_felt(101.0)
    assert len(asked) == 1
    assert answer.is_felt(100.0 + LONGEST_SILENCE)
    assert not answer.is_felt(101.0 + LONGEST_SILENCE)
