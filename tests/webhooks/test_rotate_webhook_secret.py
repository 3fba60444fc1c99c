"""``manage.py rotate_webhook_secret``."""

from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.parts import SECRET


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any) -> Path:
    path = tmp_path / ".env"
    path.write_text(f"# mine\nWEBHOOK_SECRET={SECRET}\nPORT=9000\n")
    monkeypatch.setenv("ENV_FILE", str(path))
    owner.REAL_ENVIRONMENT = frozenset({"PATH"})
    return path


def rotate(*options: str) -> str:
    out = StringIO()
    call_command("rotate_webhook_secret", *options, stdout=out)
    return out.getvalue()


def values(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if not line.startswith("#"))


def test_the_old_secret_goes_on_for_three_days(env_file: Path) -> None:
    told = rotate()

    kept = values(env_file)
    until = datetime.fromisoformat(kept["WEBHOOK_SECRET_PREVIOUS_UNTIL"])
    assert kept["WEBHOOK_SECRET_PREVIOUS"] == SECRET
    assert kept["WEBHOOK_SECRET"].startswith("whsec_")
    assert kept["WEBHOOK_SECRET"] != SECRET
    assert timedelta(hours=71) < until - timezone.now() <= timedelta(hours=72)
    assert env_file.read_text().startswith(f"# mine\nWEBHOOK_SECRET={kept['WEBHOOK_SECRET']}\nPORT=9000\n")
    assert env_file.stat().st_mode & 0o777 == 0o600
    assert "Restart pirunner" in told
    assert SECRET not in told
    assert kept["WEBHOOK_SECRET"] not in told


def test_the_second_rotation_replaces_the_lines_of_the_first(env_file: Path, owner: Any) -> None:
    rotate()
    first = values(env_file)
    owner.WEBHOOK_SECRET = first["WEBHOOK_SECRET"]
    owner.WEBHOOK_SECRET_PREVIOUS, owner.WEBHOOK_SECRET_PREVIOUS_UNTIL = SECRET, timezone.now() - timedelta(hours=1)

    rotate("--hours", "1")

    assert values(env_file)["WEBHOOK_SECRET_PREVIOUS"] == first["WEBHOOK_SECRET"]
    assert env_file.read_text().count("WEBHOOK_SECRET_PREVIOUS=") == 1


def test_a_dry_run_writes_nothing(env_file: Path) -> None:
    before = env_file.read_text()

    assert "would get" in rotate("--dry-run")

    assert env_file.read_text() == before


@pytest.mark.parametrize("until", [None, timezone.now() + timedelta(hours=1)])
def test_a_rotation_that_is_not_over_is_not_cut_short_by_accident(env_file: Path, owner: Any, until: Any) -> None:
    owner.WEBHOOK_SECRET_PREVIOUS, owner.WEBHOOK_SECRET_PREVIOUS_UNTIL = "the-secret-before", until

    with pytest.raises(CommandError, match=r"not over.*--force"):
        rotate()
    assert values(env_file)["WEBHOOK_SECRET"] == SECRET

    rotate("--force")
    assert values(env_file)["WEBHOOK_SECRET_PREVIOUS"] == SECRET


@pytest.mark.parametrize(
    ("text", "real", "reason"),
    [
        (f"WEBHOOK_SECRET={SECRET}\n", "WEBHOOK_SECRET", "comes from the environment"),
        ("", "WEBHOOK_SECRET", "comes from the environment"),
        (f"WEBHOOK_SECRET={SECRET}\n", "WEBHOOK_SECRET_PREVIOUS_UNTIL", "comes from the environment"),
        ("PORT=1\n", "WEBHOOK_SECRET_FILE", "comes from the file"),
        ("WEBHOOK_SECRET_FILE=secret.txt\n", "PATH", "comes from the file"),
        ("WEBHOOK_SECRET=\n", "PATH", "There is no WEBHOOK_SECRET"),
    ],
)
def test_a_secret_that_stands_elsewhere_is_left_to_its_owner(
    env_file: Path, owner: Any, text: str, real: str, reason: str
) -> None:
    env_file.write_text(text)
    owner.REAL_ENVIRONMENT = frozenset({real})

    with pytest.raises(CommandError, match=reason):
        rotate()

    assert env_file.read_text() == text


def test_a_file_that_is_not_there_is_one_sentence(env_file: Path) -> None:
    env_file.unlink()

    with pytest.raises(CommandError, match="cannot be read"):
        rotate()


@pytest.mark.parametrize("hours", ["0", "-1", "9000"])
def test_hours_are_bounded(env_file: Path, hours: str) -> None:
    with pytest.raises(CommandError, match="--hours"):
        rotate("--hours", hours)

    assert values(env_file)["WEBHOOK_SECRET"] == SECRET
