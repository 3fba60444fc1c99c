"""pirunner in parts, each a process of its own as a service of systemd's would be: they start at once, from nothing."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.stack import ROOT, Stack, wait_for

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]
ROLES = ["api", "worker", "io", "clock", "redis"]
SECRETS = ("RUNNER_API_TOKEN", "INSTALLER_TOKEN", "WEBHOOK_SECRET", "SECRET_KEY", "ADMIN_PASSWORD", "FLOWER_PASSWORD")


class Parts:
    """A process for each role, and the socket on which systemd would listen to it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.sockets: dict[str, socket.socket] = {}
        self.told: dict[str, set[str]] = {role: set() for role in ROLES}

    def start(self, role: str) -> None:
        path = self.stack.folder / f"notify-{role}"
        self.sockets[role] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.sockets[role].bind(str(path))
        systemds = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "3000000"}
        with self.stack.log_path.open("ab") as log:
            self.processes[role] = subprocess.Popen(
                [sys.executable, "-m", "pirunner.up", "--role", role],
                cwd=ROOT,
                env={**self.stack.environment, **systemds},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def has_told(self, role: str, line: str) -> bool:
        """Whether a role has told systemd this since it was last asked for it."""
        while True:
            try:
                self.told[role].update(self.sockets[role].recv(4096).decode().split("\n"))
            except BlockingIOError:
                break
        there = line in self.told[role]
        self.told[role].discard(line)
        return there

    def stop(self, role: str) -> int:
        process = self.processes.pop(role)
        process.send_signal(signal.SIGTERM)
        return process.wait(45)


@pytest.fixture
def parts(tmp_path: Path, database_url: str) -> Iterator[Parts]:
    stack = Stack(tmp_path, database_url=database_url, LOG_LEVEL="DEBUG")
    if database_url:  # what shares a database makes no secrets
        stack.environment |= {name: f"the-{name.lower()}-of-all-parts" for name in SECRETS}
    made = Parts(stack)
    with ExitStack() as closing:
        for role in ROLES:
            made.start(role)
            closing.callback(made.sockets[role].close)
        yield made
        for role in list(made.processes):
            made.stop(role)


def test_parts_start_together_show_that_they_work_and_stop(parts: Parts) -> None:
    stack = parts.stack
    supervised = [role for role in ROLES if role != "redis"]
    for role in supervised:
        wait_for(lambda role=role: parts.has_told(role, "READY=1"), 120)  # type: ignore[misc]
    for role in supervised:
        wait_for(lambda role=role: parts.has_told(role, "WATCHDOG=1"))  # type: ignore[misc]

    assert stack.finish(stack.submit("ping", input={"hello": "parts"}))["state"] == "completed"
    stack.request("POST", "/internal/systemd/trigger/sysd-none", x_installer_token=stack.secret("INSTALLER_TOKEN"))
    assert stack.request("GET", "/health").json()["ok"]
    make_units(stack)
    no_secret_is_seen(stack, [process.pid for process in parts.processes.values()])

    assert {role: parts.stop(role) for role in supervised} == dict.fromkeys(supervised, 0)
    assert all(parts.has_told(role, "STOPPING=1") for role in supervised)


def make_units(stack: Stack) -> None:
    """Have a schedule's manifest written, and the units of systemd that its installer makes of it."""
    schedule = {"cron": "0 4 * * *", "tz": "Asia/Kolkata"}
    answer = stack.request("POST", "/jobs", {"jobType": "ping", "scheduleBackend": "systemd", "schedule": schedule})
    assert answer.status == 202, answer.text
    command = [sys.executable, "manage.py", "sync_systemd", "--once", "--dry-run"]
    subprocess.run(command, cwd=ROOT, env=stack.environment, check=True, capture_output=True)


def no_secret_is_seen(stack: Stack, pids: list[int]) -> None:
    """Fail if a secret is in a command line that anybody may read, or in what was logged."""
    family = [child for pid in pids for child in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))]
    assert len(family) > len(pids)
    command_lines = "\n".join(" ".join(process.cmdline()) for process in family)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    for name in SECRETS:
        secret = stack.secret(name)
        assert len(secret) >= 20
        for where, text in {"command lines": command_lines, "ps": listed, "log": stack.log()}.items():
            assert secret not in text, (name, where)
    data = stack.folder / "data"
    written = {
        kind: "".join(path.read_text(errors="replace") for path in (data / folder).rglob(f"*.{kind}"))
        for folder, kind in (("systemd-manifests", "json"), ("systemd-units", "timer"), ("systemd-units", "service"))
    }
    assert all(written.values())
    assert not [(name, kind) for name in SECRETS for kind, text in written.items() if stack.secret(name) in text]
