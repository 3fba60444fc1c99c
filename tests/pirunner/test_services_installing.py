"""Services in place and taken away, in a folder of a test and with a systemctl that notes its calls."""

import getpass
import os
from dataclasses import replace
from pathlib import Path

import pytest

from installer.files import Folder
from installer.refusals import Refusal
from pirunner.services import installing
from pirunner.services.installing import Change, Host, install, make_data, remove, unsafe_code
from pirunner.services.layout import Layout, settings_in
from pirunner.services.units import INSTALLER, TARGET, units
from tests.installer.host import Host as Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine.make(tmp_path)
    monkeypatch.setenv("PATH", made.environment["PATH"])
    return made


@pytest.fixture
def host(machine: Machine) -> Host:
    etc = machine.root / "etc"
    etc.mkdir()
    return Host(units_dir=machine.units, sysusers_dir=etc / "sysusers.d", installer_env=etc / "pirunner-installer.env")


@pytest.fixture
def layout(machine: Machine) -> Layout:
    return Layout(user=getpass.getuser(), data_dir=machine.root / "var", root=machine.root)


def test_the_first_time_everything_is_made_and_started(machine: Machine, host: Host, layout: Layout) -> None:
    changes = install(layout, units(layout), host, start=True)

    assert set(changes.values()) == {Change.NEW}
    assert {path.name for path in machine.units.iterdir()} == set(units(layout))
    assert machine.calls() == ["daemon-reload", "enable", "restart", "start"]
    env_file = layout.data_dir / ".env"
    assert layout.data_dir.stat().st_mode & 0o777 == 0o700
    assert env_file.stat().st_mode & 0o777 == host.installer_env.stat().st_mode & 0o777 == 0o600
    token = settings_in(env_file.read_text())["INSTALLER_TOKEN"]
    assert settings_in(host.installer_env.read_text()) == {"INSTALLER_TOKEN": token}


def test_the_second_time_nothing_is_changed_and_nobody_disturbed(machine: Machine, host: Host, layout: Layout) -> None:
    install(layout, units(layout), host, start=True)
    machine.calls()
    written = machine.written()

    changes = install(layout, units(layout), host, start=True)

    assert set(changes.values()) == {Change.SAME}
    assert machine.calls() == ["enable", "start"]
    assert machine.written() == written


def test_what_is_not_wanted_any_more_is_taken_away(machine: Machine, host: Host, layout: Layout) -> None:
    install(layout, units(layout), host, start=False)
    machine.calls()

    changes = install(layout, units(replace(layout, settings={"FLOWER": "off"})), host, start=False)

    assert [name for name, change in changes.items() if change is Change.GONE] == ["pirunner-flower.service"]
    assert not (machine.units / "pirunner-flower.service").exists()
    assert machine.calls() == ["stop", "disable", "daemon-reload", "enable"]


def test_a_unit_of_somebody_else_is_left_alone(machine: Machine, host: Host, layout: Layout) -> None:
    (machine.units / TARGET).write_text("[Unit]\nDescription=mine\n")

    assert install(layout, units(layout), host, start=False)[TARGET] is Change.FOREIGN
    assert remove(host)[TARGET] is Change.FOREIGN

    assert [path.name for path in machine.units.iterdir()] == [TARGET]
    assert not host.installer_env.exists()
    assert (layout.data_dir / ".env").exists()


def test_settings_and_secrets_that_are_there_are_kept(host: Host, layout: Layout) -> None:
    layout.data_dir.mkdir(mode=0o700)
    (layout.data_dir / ".env").write_text("INSTALLER_TOKEN=mine\n")
    host.installer_env.write_text("INSTALLER_POLL_MS=60000\nINSTALLER_TOKEN=old\n")

    install(layout, units(layout), host, start=False)

    assert (layout.data_dir / ".env").read_text() == "INSTALLER_TOKEN=mine\n"
    assert host.installer_env.read_text() == "INSTALLER_POLL_MS=60000\nINSTALLER_TOKEN=mine\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused_with_the_command_that_mends_it(layout: Layout) -> None:
    layout.data_dir.mkdir()
    os.chown(layout.data_dir, 12345, 12345)

    with pytest.raises(Refusal, match=f"chown -R {layout.user}: {layout.data_dir}"):
        make_data(layout)


def test_a_link_in_place_of_the_secrets_is_not_followed(layout: Layout, tmp_path: Path) -> None:
    layout.data_dir.mkdir()
    (tmp_path / "precious").write_text("INSTALLER_TOKEN=precious\n")
    (layout.data_dir / ".env").symlink_to(tmp_path / "precious")

    with pytest.raises(Refusal):
        make_data(layout)


def test_code_that_the_services_could_change_must_not_run_as_root(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "installer").mkdir()
    open_to_all = replace(layout, user="nobody-of-that-name", python=Path("/bin/sh"))
    (tmp_path / "installer").chmod(0o777)

    assert unsafe_code(open_to_all) == tmp_path / "installer"
    (tmp_path / "installer").chmod(0o755)
    assert unsafe_code(open_to_all) is None
    assert unsafe_code(replace(layout, user=getpass.getuser())) is not None


def test_looking_writes_to_its_folder_only(machine: Machine, layout: Layout) -> None:
    with Folder(machine.units) as folder:
        installing.write(folder, units(layout))

    assert machine.calls() == []
    assert INSTALLER in {path.name for path in machine.units.iterdir()}
