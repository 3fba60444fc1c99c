"""The machine tells of heat and power through files, which these tests write."""

from pathlib import Path

import pytest

from pirunner import machine
from pirunner.machine import Power


def write(root: Path, place: str, text: str) -> None:
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).write_text(text)


def test_the_processor_is_preferred_to_what_is_hotter(tmp_path: Path) -> None:
    for number, (kind, reading) in enumerate([("acpitz", "91000"), ("cpu-thermal", "54321")]):
        write(tmp_path, f"sys/class/thermal/thermal_zone{number}/type", f"{kind}\n")
        write(tmp_path, f"sys/class/thermal/thermal_zone{number}/temp", f"{reading}\n")

    assert machine.degrees(tmp_path) == pytest.approx(54.321)


def test_without_a_processor_the_hottest_counts(tmp_path: Path) -> None:
    for number, reading in enumerate(["41000", "62000", "broken"]):
        write(tmp_path, f"sys/class/thermal/thermal_zone{number}/temp", reading)

    assert machine.degrees(tmp_path) == 62.0


@pytest.mark.parametrize(
    ("flags", "power"),
    [
        ("0x0", Power(low_now=False, low_ever=False, slowed_now=False, slowed_ever=False)),
        ("50005", Power(low_now=True, low_ever=True, slowed_now=True, slowed_ever=True)),
        ("0x50000", Power(low_now=False, low_ever=True, slowed_now=False, slowed_ever=True)),
        ("0x80008", Power(low_now=False, low_ever=False, slowed_now=True, slowed_ever=True)),
    ],
)
def test_the_firmware_tells_of_power_now_and_ever(tmp_path: Path, flags: str, power: Power) -> None:
    write(tmp_path, machine.THROTTLED, f"{flags}\n")

    assert machine.power(tmp_path) == power


@pytest.mark.parametrize(("alarm", "low"), [("0", False), ("1", True)])
def test_the_sensor_tells_of_power_too(tmp_path: Path, alarm: str, low: bool) -> None:
    write(tmp_path, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", f"{alarm}\n")

    assert machine.power(tmp_path) == Power(low_now=low, low_ever=low, slowed_now=False, slowed_ever=False)


def test_what_is_not_told_is_not_known(tmp_path: Path) -> None:
    seen = machine.look(tmp_path / "gone", root=tmp_path)

    assert (seen.degrees, seen.power, seen.disk) == (None, None, None)
    assert seen.memory.total > seen.memory.free > 0
    assert seen.processors > 0


def test_the_disk_of_a_folder_has_room(tmp_path: Path) -> None:
    space = machine.disk(tmp_path)

    assert space is not None
    assert 0 < space.free <= space.total
    assert 0 <= space.used_percent <= 100
