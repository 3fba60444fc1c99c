"""The text of units: nothing gets into one but what it is made for."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from installer.config import read_config
from installer.manifests import new_id
from installer.refusals import Refusal
from installer.units import SERVICE, header_text, id_of_timer, maker_of, service_text, timer_name, timer_text
from tests.installer.trigger import Trigger

ID = "sysd-3f2504e0-4f89-41d3-9a0c-0305e82c3301"
KEY = "0123456789abcdef" * 2
LINES = ("Mon,Tue *-*-* 09:00:00 Europe/Berlin", "2026-05-05 12:00:00 UTC")
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")


def run(command: list[Any]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def service(api_url: str = "http://127.0.0.1:8787", state_dir: str = "/var/lib/piar-sysd") -> str:
    return service_text(curl="/usr/bin/curl", api_url=api_url, state_dir=Path(state_dir), fingerprint=KEY)


def test_the_text_of_a_timer() -> None:
    id_ = new_id()
    assert timer_text(id_, LINES, KEY) == (
        f"# Made by pirunner's installer for the key {KEY}. Edits are lost.\n"
        f"[Unit]\nDescription=pirunner rings for {id_}\n\n"
        f"[Timer]\nUnit=piar-sysd@{id_}.service\n"
        "OnCalendar=Mon,Tue *-*-* 09:00:00 Europe/Berlin\nOnCalendar=2026-05-05 12:00:00 UTC\n"
        "Persistent=true\nAccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "*-*-* 09:00:00",
        "*-*-* 09:00:00 UTC\n",
        "*-*-* 09:00:00 UTC\nUnit=evil.service",
        "*-*-* 09:00:00 UTC\rUnit=evil.service",
        "*-*-* 09:00:00 UTC\0",
        "*-*-* 09:00:00 %h",
        "*-*-* 09:00:00 UTC\\",
        "*-*-* 09:00:00 UTC ",
        "daily",
        "*:*:* UTC",
    ],
)
def test_a_timer_takes_only_calendar_lines(line: str) -> None:
    with pytest.raises(Refusal):
        timer_text(new_id(), (LINES[0], line), KEY)


@pytest.mark.parametrize("id_", ["a/../../../cron.d/evil", "sysd-%i", f"{ID}\n", f"{ID}.timer", ""])
def test_a_timer_takes_only_an_id(id_: str) -> None:
    with pytest.raises(Refusal):
        timer_name(id_)
    assert id_of_timer(f"piar-{id_}.timer") is None


def test_a_timer_without_a_line_would_never_ring() -> None:
    with pytest.raises(Refusal):
        timer_text(new_id(), (), KEY)


def test_whose_a_unit_is_stands_in_its_first_line() -> None:
    text = timer_text(new_id(), LINES, KEY)
    assert maker_of(text) == KEY
    assert maker_of(f"\n{text}") is None
    assert maker_of("[Unit]\n") is None


@pytest.mark.parametrize("value", ["/a b", "/a\nb", '/a"b', "/a\\", "/a;b", "/ä", "/a\0"])
def test_a_path_that_would_break_the_service_is_refused(value: str) -> None:
    with pytest.raises(Refusal):
        service(state_dir=value)


def test_specifiers_and_variables_are_taken_as_they_are_written() -> None:
    text = service(api_url="http://pi.example/%h/$HOME", state_dir="/srv/100%/x")
    assert "POST http://pi.example/%%h/$$HOME/internal/systemd/trigger/%i\n" in text
    assert "installer_header:/srv/100%%/x/installer_header\n" in text


@pytest.mark.parametrize(
    "address",
    [
        "ftp://a",
        "a",
        "http://",
        "http://a b",
        "http://a\nb",
        'http://a"',
        "http://u:p@a",
        "http://a?x=1",
        "http://[::1",
    ],
)
def test_the_address_of_the_api_is_a_plain_one(address: str) -> None:
    with pytest.raises(Refusal, match="API_URL"):
        read_config({"API_URL": address}, root=Path("/"))


@pytest.mark.parametrize("token", ["a b", "a\nb", "a\r\nx: y", "ä"])
def test_a_token_is_one_word(token: str) -> None:
    with pytest.raises(Refusal, match="INSTALLER_TOKEN"):
        read_config({"INSTALLER_TOKEN": token}, root=Path("/"))


def test_the_service_reaches_this_machine_only_if_the_api_is_here() -> None:
    assert "IPAddressDeny=any\nIPAddressAllow=localhost\n" in service()
    assert "IPAddress" not in service("https://pi.example")


@needs_systemd
def test_systemd_finds_no_fault_and_little_exposure(tmp_path: Path) -> None:
    template = tmp_path / SERVICE
    template.write_text(service())
    timer = tmp_path / timer_name(new_id())
    timer.write_text(timer_text(timer.name.removeprefix("piar-").removesuffix(".timer"), LINES, KEY))

    verified = run(["systemd-analyze", "verify", "--man=no", template, timer])
    assert (verified.returncode, verified.stdout) == (0, "")
    rated = run(["systemd-analyze", "security", "--offline=yes", template])
    rating = re.search(r"exposure level for \S+: ([0-9.]+)", rated.stdout)
    assert rating is not None
    assert float(rating[1]) <= 2.0


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")
def test_the_command_posts_the_token_without_naming_it(tmp_path: Path) -> None:
    """Run the service's very command, with the credential where systemd would put it."""
    with Trigger() as trigger:
        (tmp_path / "installer_header").write_text(header_text("the-token"))
        text = service(api_url=trigger.url)
        command = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
        assert command is not None
        id_ = new_id()
        arguments = command[1].replace("%d", str(tmp_path)).replace("%i", id_).split()
        ended = run(arguments)

        assert ended.returncode == 0, ended.stderr
        assert trigger.heard == [(f"/internal/systemd/trigger/{id_}", "the-token")]
        assert "the-token" not in text + " ".join(arguments) + ended.stdout + ended.stderr
        trigger.answer = 401
        assert run(arguments).returncode == 22
