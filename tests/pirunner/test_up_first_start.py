"""The secrets of the first start: made once, kept, and never in anybody's way."""

import os
import re
from pathlib import Path

import pytest

from pirunner.up import first_start
from pirunner.up.faults import Exit, StartFault


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / ".env"
    monkeypatch.setenv("ENV_FILE", str(path))
    for name in first_start.MAKERS:
        # Set first, so that what prepare() puts into the environment is taken out again at the end.
        monkeypatch.setenv(name, "")
    return path


def values(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_makes_every_secret_for_the_owners_eyes_only(env_file: Path):
    first_start.prepare()

    made = values(env_file.read_text())
    assert set(made) == set(first_start.MAKERS)
    assert all(len(value) >= 20 for value in made.values())
    assert len(set(made.values())) == len(made)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["WEBHOOK_SECRET"])
    assert env_file.stat().st_mode & 0o777 == 0o600
    assert os.environ["RUNNER_API_TOKEN"] == made["RUNNER_API_TOKEN"]


def test_a_second_start_changes_nothing(env_file: Path):
    first_start.prepare()
    before = env_file.stat()

    first_start.prepare()

    assert env_file.stat().st_mtime_ns == before.st_mtime_ns
    assert env_file.stat().st_ino == before.st_ino


def test_adds_only_what_is_missing():
    text = first_start.complete("# mine\nRUNNER_API_TOKEN=kept\nPORT=9000\n", elsewhere=set())

    assert text.startswith("# mine\nRUNNER_API_TOKEN=kept\nPORT=9000\n")
    assert set(values(text)) == {*first_start.MAKERS, "PORT"}


@pytest.mark.parametrize("line", ["SECRET_KEY=", 'SECRET_KEY=""', "SECRET_KEY='' ", "export SECRET_KEY="])
def test_an_empty_value_is_filled_in_its_place(line: str):
    text = first_start.complete(f"{line}\nPORT=1\n", elsewhere=set())

    first, second = text.splitlines()[:2]
    assert re.fullmatch("SECRET_KEY=.{20,}", first)
    assert second == "PORT=1"


@pytest.mark.parametrize("name", ["RUNNER_API_TOKEN", "RUNNER_API_TOKEN_FILE"])
def test_a_real_variable_wins_and_is_not_written_down(name: str):
    text = first_start.complete("", elsewhere={name})

    assert "RUNNER_API_TOKEN" not in values(text)


def test_an_empty_real_variable_does_not_hide_the_file(env_file: Path, monkeypatch: pytest.MonkeyPatch):
    env_file.write_text("CALLBACK_URL=http://there.example/\n")
    monkeypatch.setenv("CALLBACK_URL", "")

    first_start.prepare()

    assert os.environ["CALLBACK_URL"] == "http://there.example/"


def test_an_unusable_place_is_one_sentence(env_file: Path, monkeypatch: pytest.MonkeyPatch):
    (env_file.parent / "file").touch()
    monkeypatch.setenv("ENV_FILE", str(env_file.parent / "file" / ".env"))

    with pytest.raises(StartFault, match=r"^Cannot keep the secrets in .*: .*Not a directory") as fault:
        first_start.prepare()

    assert fault.value.exit_code == Exit.FOLDER
