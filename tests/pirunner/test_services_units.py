"""The units of pirunner's own services: their text, which systemd itself reads."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from installer.refusals import Refusal
from pirunner.services.layout import Layout, settings_in
from pirunner.services.units import ALL_NAMES, INSTALLER, TARGET, TOGETHER, sysusers_text, units
from pirunner.up.roles import Role

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
MOST_EXPOSED = 2.0

LAYOUT = Layout(
    user="pirunner",
    data_dir=Path("/var/lib/pirunner"),
    root=Path("/opt/pirunner"),
    python=Path("/opt/pirunner/.venv/bin/python"),
    base=Path("/usr"),
)


def names(**variables: str) -> set[str]:
    return set(units(replace(LAYOUT, settings=variables)))


def test_each_part_is_a_service_of_one_target() -> None:
    made = units(LAYOUT)

    assert set(made) == {TARGET, INSTALLER, *(f"pirunner-{role}.service" for role in Role)}
    assert set(made) <= set(ALL_NAMES)
    for name, text in made.items():
        if name != TARGET:
            assert f"PartOf={TARGET}\n" in text
            assert text.endswith(f"[Install]\nWantedBy={TARGET}\n")


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ({"FLOWER": "off"}, {"pirunner-flower.service"}),
        ({"REDIS_URL": "redis://r.example"}, {"pirunner-redis.service"}),
        ({"BROKER_URL": "amqp://r.example"}, {"pirunner-redis.service"}),
        ({"FLOWER": "on", "REDIS_URL": ""}, set()),
    ],
)
def test_a_part_that_is_not_wanted_has_no_service(variables: dict[str, str], missing: set[str]) -> None:
    assert names() - names(**variables) == missing


def test_all_parts_may_be_one_service() -> None:
    made = units(replace(LAYOUT, together=True, installer=False))

    assert set(made) == {TARGET, TOGETHER}
    assert "ExecStart=/opt/pirunner/.venv/bin/python -m pirunner.up\n" in made[TOGETHER]


def test_only_the_installer_runs_as_root_and_it_reads_nothing_of_the_users() -> None:
    made = units(replace(LAYOUT, settings={"PORT": "9000"}))

    assert {name for name, text in made.items() if "ExecStart=" in text and "\nUser=pirunner\n" not in text} == {
        INSTALLER
    }
    assert re.findall("^EnvironmentFile=(.*)$", made[INSTALLER], re.MULTILINE) == ["/etc/pirunner-installer.env"]
    assert "API_URL=http://127.0.0.1:9000 " in made[INSTALLER]


def test_no_value_of_the_settings_but_the_address_gets_into_a_unit() -> None:
    secrets = {name: f"secret-of-{name}" for name in ("RUNNER_API_TOKEN", "INSTALLER_TOKEN", "SECRET_KEY", "REDIS_URL")}
    assert "secret-of" not in "".join(units(replace(LAYOUT, settings=secrets)).values())


@pytest.mark.parametrize(
    "fields",
    [
        {"user": "a\nExecStartPre=/bin/evil"},
        {"user": "a b"},
        {"data_dir": Path("/srv/my data")},
        {"data_dir": Path("/srv/a\\")},
        {"root": Path("/srv/a\nUser=root")},
        {"settings": {"API_URL": 'http://a"'}},
        {"data_dir": Path("/home/pi/data")},
    ],
)
def test_what_would_break_a_unit_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        units(replace(LAYOUT, **fields))


def test_a_percent_sign_is_taken_as_it_is_written() -> None:
    assert "ReadWritePaths=/srv/100%%\n" in units(replace(LAYOUT, data_dir=Path("/srv/100%")))["pirunner-api.service"]


def test_code_in_a_home_is_seen_and_nothing_beside_it() -> None:
    layout = replace(LAYOUT, root=Path("/home/pi/pirunner"), python=Path("/home/pi/pirunner/.venv/bin/python"))

    assert "ProtectHome=yes\n" in units(LAYOUT)["pirunner-api.service"]
    text = units(layout)["pirunner-api.service"]
    assert "ProtectHome=tmpfs\nBindReadOnlyPaths=/home/pi/pirunner\n" in text


def test_settings_are_read_without_quotes() -> None:
    assert settings_in("# no\nPORT='9000'\nexport FLOWER=off\nbad line\n") == {"PORT": "9000", "FLOWER": "off"}


@needs_systemd
@pytest.mark.parametrize("together", [False, True])
def test_systemd_finds_no_fault_and_little_exposure(tmp_path: Path, together: bool) -> None:
    here = replace(LAYOUT, user="root", root=Path("/"), python=Path("/bin/sh"), together=together)
    for name, text in units(here).items():
        (tmp_path / name).write_text(text)
    paths = sorted(map(str, tmp_path.iterdir()))

    verified = run("systemd-analyze", "verify", "--man=no", *paths)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    for path in paths:
        if path.endswith(".service"):
            rated = run("systemd-analyze", "security", "--offline=yes", path)
            rating = re.search(r"exposure level for \S+: ([0-9.]+)", rated.stdout)
            assert rating is not None
            assert float(rating[1]) <= MOST_EXPOSED, path


@pytest.mark.skipif(not shutil.which("systemd-sysusers"), reason="there is no systemd-sysusers here")
def test_the_user_is_made_by_a_line_that_systemd_reads(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    line = tmp_path / "pirunner.conf"
    line.write_text(sysusers_text(LAYOUT))

    made = run("systemd-sysusers", f"--root={tmp_path}", str(line))

    assert made.returncode == 0, made.stderr
    assert re.search(
        r"^pirunner:.*:/var/lib/pirunner:.*/nologin$", (tmp_path / "etc" / "passwd").read_text(), re.MULTILINE
    )


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
