"""What needs the owner is told in sentences."""

from typing import Any

import pytest

from pirunner.dashboard.complaints import (
    Level,
    complaints_about_callbacks,
    complaints_about_health,
    complaints_about_machine,
)
from pirunner.dashboard.health import sentence
from pirunner.machine import Machine, Power, Space
from webhooks.selectors import DeliveryFigures

WELL: dict[str, Any] = {
    **{part: {"state": "ok"} for part in ("database", "broker", "workers", "beat", "canary", "disk")},
    **{part: {"state": "ok"} for part in ("relay", "installer", "schedules")},
}


def machine(*, degrees: float | None = None, power: Power | None = None) -> Machine:
    space = Space(free=5, total=10)
    return Machine(degrees=degrees, power=power, disk=space, memory=space, load=0.1, processors=4, booted_at=0.0)


def figures(**fields: Any) -> DeliveryFigures:
    return DeliveryFigures(**{"pending": 0, "dead": 0, "failing_hosts": 0, "oldest_due_seconds": None, **fields})


def test_a_healthy_instance_has_none() -> None:
    assert not list(complaints_about_health(WELL))
    assert not list(complaints_about_machine(machine(degrees=50.0)))
    assert not list(complaints_about_callbacks(figures(pending=3)))
    assert sentence([], runs=True) == "All is well"


@pytest.mark.parametrize(
    ("part", "told", "level", "word"),
    [
        ("broker", {"state": "down"}, Level.BAD, "broker"),
        ("workers", {"state": "down"}, Level.BAD, "worker"),
        ("beat", {"state": "down"}, Level.BAD, "clock"),
        ("canary", {"state": "silent"}, Level.BAD, "listen"),
        ("disk", {"state": "full", "freeBytes": 2048}, Level.BAD, "2.0 KiB free"),
        ("disk", {"state": "down"}, Level.BAD, "data folder"),
        ("relay", {"state": "silent"}, Level.WARN, "relay"),
        ("installer", {"state": "absent"}, Level.WARN, "installer"),
        ("schedules", {"state": "late", "lateSecondsP99": 12.4}, Level.WARN, "12 s late"),
    ],
)
def test_each_part_that_is_ill_is_told_of(part: str, told: dict[str, Any], level: Level, word: str) -> None:
    (complaint,) = complaints_about_health({**WELL, part: told})

    assert complaint.level is level
    assert word in complaint.seen
    assert complaint.mend


def test_what_is_unknown_only_because_the_broker_is_down_is_told_once() -> None:
    unknown = {"state": "unknown"}
    ill = {**WELL, "broker": {"state": "down"}, "workers": unknown, "beat": unknown, "relay": unknown}

    assert len(list(complaints_about_health(ill))) == 1


@pytest.mark.parametrize(
    ("degrees", "low", "levels"),
    [(50.0, False, []), (76.0, False, [Level.WARN]), (83.0, False, [Level.BAD]), (50.0, True, [Level.BAD])],
)
def test_heat_and_low_voltage_are_told_of(degrees: float, low: bool, levels: list[Level]) -> None:
    power = Power(low_now=low, low_ever=low, slowed_now=False, slowed_ever=False)

    told = list(complaints_about_machine(machine(degrees=degrees, power=power)))

    assert [complaint.level for complaint in told] == levels


@pytest.mark.parametrize(
    ("fields", "word"),
    [({"dead": 1}, "1 callback was"), ({"dead": 1200}, "1,200 callbacks"), ({"failing_hosts": 2}, "2 r")],
)
def test_callbacks_that_nobody_takes_are_told_of(fields: dict[str, int], word: str) -> None:
    (complaint,) = complaints_about_callbacks(figures(**fields))

    assert complaint.seen.startswith(word)
