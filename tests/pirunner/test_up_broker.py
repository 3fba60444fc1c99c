"""The private Redis: when there is one, and what it leaves behind."""

import os
import time
from pathlib import Path

import pytest

from pirunner.up import broker as brokers


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(brokers, "_parent_folder", lambda: tmp_path)
    monkeypatch.setenv("BROKER_URL", "")
    monkeypatch.setenv("REDIS_URL", "")
    return tmp_path


@pytest.mark.parametrize("name", ["BROKER_URL", "REDIS_URL"])
def test_none_is_started_beside_the_owners(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv(name, "redis://redis.example/0")

    assert brokers.private_broker() is None


def test_its_folder_is_the_owners_alone():
    broker = brokers.private_broker()

    assert broker is not None
    assert broker.folder.stat().st_mode & 0o777 == 0o700
    assert broker.url == f"redis+socket://{broker.folder}/redis.sock"
    assert not broker.answers()
    broker.remove()
    assert not broker.folder.exists()


def make_old(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    an_hour_ago = time.time() - 3600
    os.utime(folder, (an_hour_ago, an_hour_ago))


def test_folders_of_killed_supervisors_are_removed(temporary_folder: Path):
    orphan, young = temporary_folder / "pirunner-redis-orphan", temporary_folder / "pirunner-redis-young"
    make_old(orphan)
    young.mkdir()
    used = brokers.private_broker()
    assert used is not None
    make_old(used.folder)

    assert brokers.private_broker() is not None

    assert not orphan.exists()
    assert young.exists()
    assert used.folder.exists()
