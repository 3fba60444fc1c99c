"""Fixtures of the installer's tests."""

from pathlib import Path

import pytest

from tests.installer.host import Host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A machine with nothing on it, whose systemctl is found first."""
    made = Host.make(tmp_path)
    monkeypatch.setenv("PATH", made.environment["PATH"])
    return made
