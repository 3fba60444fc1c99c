"""What systemd is told."""

import os
import socket
from pathlib import Path

import pytest

from pirunner.up.notify import READY, Notifier, take_notifier


def test_a_line_arrives_where_systemd_listens(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)

        Notifier(str(tmp_path / "notify")).tell(READY, "STATUS=well")

        assert systemd.recv(100) == b"READY=1\nSTATUS=well"


def test_an_abstract_address_begins_with_an_at() -> None:
    name = f"pirunner-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        systemd.settimeout(5)

        Notifier(f"@{name}").tell(READY)

        assert systemd.recv(100) == b"READY=1"


def test_nobody_at_the_other_end_is_no_fault(tmp_path: Path) -> None:
    Notifier(str(tmp_path / "nobody")).tell(READY)
    Notifier().tell(READY)


PID = str(os.getpid())


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Notifier()),
        ({"NOTIFY_SOCKET": "/run/n"}, Notifier("/run/n")),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "90000000", "WATCHDOG_PID": PID}, Notifier("/run/n", 30.0)),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "90000000"}, Notifier("/run/n", 30.0)),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "1"}, Notifier("/run/n")),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "often"}, Notifier("/run/n")),
        ({"NOTIFY_SOCKET": "vsock:2:1"}, Notifier()),
    ],
)
def test_the_environment_is_read_and_kept_from_children(environment: dict[str, str], expected: Notifier) -> None:
    assert take_notifier(environment) == expected
    assert environment == {}
