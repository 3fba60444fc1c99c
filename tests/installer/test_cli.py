"""The command line, by both of its doors."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from installer import cli, config
from pirunner.env import ROOT, VARIABLES
from tests.installer.host import Host, schedule, timer_of

DOORS = {"django": ["manage.py", "sync_systemd"], "plain": ["-m", "installer"]}


def environment(host: Host) -> dict[str, str]:
    # A database and a broker that are not there must not be missed.
    return host.environment | {
        "SECRET_KEY": "for tests only",
        "ENV_FILE": str(host.root / "no.env"),
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "HOME": str(host.root),
    }


def run(host: Host, door: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *DOORS[door], *options],
        cwd=ROOT,
        env=environment(host) | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def watching(host: Host, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "installer", "--watch", *options],
        cwd=ROOT,
        env=environment(host),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


@pytest.mark.parametrize("door", DOORS)
def test_without_apply_units_are_only_written_to_be_looked_at(host: Host, door: str) -> None:
    manifest = schedule()
    host.manifests.write(manifest)

    ended = run(host, door)

    assert ended.returncode == 0, ended.stderr
    assert f"written  {timer_of(manifest)}" in ended.stdout
    assert "dry run, systemd knows nothing of it: 1 installed" in ended.stdout
    assert f"to start {timer_of(manifest)}" in ended.stdout
    assert (host.data / "systemd-units" / timer_of(manifest)).exists()
    assert (host.calls(), host.installed(), host.state.exists()) == ([], set(), False)


@pytest.mark.parametrize("door", DOORS)
def test_apply_installs_and_status_tells(host: Host, door: str) -> None:
    manifest = schedule()
    host.manifests.write(manifest)

    assert run(host, door, "--apply").returncode == 0
    assert host.running() == {timer_of(manifest)}
    told = run(host, door, "--status", APPLY_SYSTEMD="true")
    assert (told.returncode, "2027-01-15 08:00:00 UTC" in told.stdout) == (0, True)
    assert "systemd: 1 installed" in told.stdout


def test_a_refused_manifest_shows_in_the_exit_code_and_in_the_table(host: Host) -> None:
    victim, other = schedule(), schedule()
    host.manifests.write(victim, other)
    host.manifests.path(victim.id).write_text("x")

    ended = run(host, "plain", "--apply", "--once")

    assert ended.returncode == cli.Exit.SOME_REFUSED
    assert "1 installed, 1 refused" in ended.stdout
    assert "not_signed: It has not the form of a signed document." in ended.stdout


def test_the_name_of_a_file_cannot_move_the_cursor(host: Host) -> None:
    host.manifests.write(schedule())
    (host.folder / "\x1b[2Jboo").touch()
    assert "ignored: ?[2Jboo" in run(host, "plain").stdout


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({"INSTALLER_TOKEN": ""}, "INSTALLER_TOKEN is empty"),
        ({"INSTALLER_POLL_MS": "5"}, "INSTALLER_POLL_MS"),
        ({"API_URL": "gopher://x"}, "API_URL"),
        ({"SYSTEMD_DIR": "/nowhere/at/all"}, "cannot be opened"),
        ({"PATH": "/nowhere"}, "no systemctl"),
    ],
)
def test_what_is_wrong_is_one_sentence(host: Host, variables: dict[str, str], word: str) -> None:
    host.manifests.write(schedule())
    ended = run(host, "plain", "--apply", **variables)

    assert ended.returncode == cli.Exit.NOT_DONE
    assert word in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def test_apply_can_be_set_and_overruled(host: Host) -> None:
    host.manifests.write(schedule())
    assert "dry run" in run(host, "plain", "--dry-run", APPLY_SYSTEMD="true").stdout
    assert "dry run" not in run(host, "plain", APPLY_SYSTEMD="true").stdout
    assert run(host, "plain", APPLY_SYSTEMD="maybe").returncode == cli.Exit.NOT_DONE


def test_a_watch_installs_what_comes_and_removes_what_goes_and_ends_when_it_is_told(host: Host) -> None:
    first, second = schedule(), schedule()
    with watching(host, "--apply") as process:
        host.manifests.write(first)
        until(lambda: host.running() == {timer_of(first)})
        host.manifests.write(second)
        until(lambda: len(host.running()) == 2)
        host.manifests.remove(first.id)
        until(lambda: host.running() == {timer_of(second)} == host.installed())

        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=10)

    assert process.returncode == 0
    assert "systemd: 1 installed" in said
    assert host.in_step()


def test_a_watch_that_has_nothing_to_do_does_nothing(host: Host) -> None:
    host.manifests.write(schedule())
    with watching(host, "--apply"):
        until((host.data / "systemd-status.json").exists)
        time.sleep(1.5)  # a look or two
        host.calls()
        before = host.written()
        time.sleep(2.5)
        assert (host.calls(), host.written()) == ([], before)


def test_the_installer_needs_neither_django_nor_celery() -> None:
    script = (
        "import sys, installer.cli; print([n for n in ('django', 'celery', 'jobs', 'pirunner') if n in sys.modules])"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_defaults_are_those_of_the_documented_table() -> None:
    table = {variable.name: variable.default for variable in VARIABLES}
    assert table["SYSTEMD_DIR"] == config.SYSTEMD_DIR
    assert table["INSTALLER_STATE_DIR"] == config.STATE_DIR
    assert table["INSTALLER_POLL_MS"] == config.POLL_MS
    assert (table["API_URL"], table["APPLY_SYSTEMD"]) == ("", "off")
    assert config.read_config({}, root=Path("/srv")).api_url == "http://127.0.0.1:8787"
    assert config.read_config({"PORT": "9000"}, root=Path("/srv")).api_url == "http://127.0.0.1:9000"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv")
def test_who_does_not_own_systemds_folder_cannot_apply(host: Host) -> None:
    host.manifests.write(schedule())
    for path in [host.root, *host.root.parents][:4]:
        path.chmod(path.stat().st_mode | 0o055)
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-m", "installer"]
    ended = subprocess.run(
        [*command, "--apply"],
        cwd=ROOT,
        env=environment(host),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert host.installed() == set()
