"""``manage.py backup`` and what keeps ``manage.py restore`` from touching anything; the rest is in tests/flows."""

import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from jobs.models import Artifact, Job
from pirunner import running
from pirunner.backup import places, postgres
from pirunner.backup.manifest import decode, encode
from pirunner.locks import holding, is_held
from schedules.leader import leader_lock
from tests.jobs.making import ended
from tests.pirunner.command import run

pytestmark = [
    pytest.mark.usefixtures("committed_db"),
    pytest.mark.skipif(
        shutil.which("pg_dump") is None and bool(connection.vendor == "postgresql"), reason="no pg_dump"
    ),
]


@pytest.fixture(autouse=True)
def quiet_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's API is asked."""
    monkeypatch.setattr(running, "health", lambda: None)


def artifact(job: Job, folder: Path | None, name: str = "tea.md") -> Artifact:
    """Write the row of a file, and the file if there is a folder for it."""
    path = f"{job.pk}/1/{name}"
    if folder:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("tea")
    row = {"media_type": "text/plain", "size": 3, "sha256": "", "created_at": job.created_at}
    return Artifact.objects.create(job=job, run=1, name=name, path=path, **row)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A backup of this database."""
    path = tmp_path / "b.tar.gz"
    assert run("backup", str(path)).code == 0
    return path


def names(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def test_a_backup_holds_what_the_database_knows(tmp_path: Path, owner: Any, monkeypatch: pytest.MonkeyPatch):
    job = ended()
    kept, gone = artifact(job, owner.DATA_DIR), artifact(job, None, "gone.md")
    (owner.DATA_DIR / "nobodys.md").write_text("not ours")
    (tmp_path / "systemd-key").mkdir()
    (tmp_path / "systemd-key" / "private.pem").write_text("key")
    (tmp_path / "env").write_text("SECRET_KEY=hush\n")
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "env"))

    ran = run("backup", str(tmp_path / "b.tar.gz"), "--with-secrets", "--json")

    database = places.SQLITE if connection.vendor == "sqlite" else places.POSTGRES
    artifacts = [f"artifacts/{kept.path}"]
    assert names(tmp_path / "b.tar.gz") == [
        database,
        *artifacts,
        "systemd-key/private.pem",
        places.ENV,
        places.MANIFEST,
    ]
    told = ran.json()
    assert (told["rows"]["jobs"], told["missing"], told["secrets"]) == (1, [gone.path], True)
    assert "hush" not in ran.out
    assert list(tmp_path.glob(".backup-*")) == []


def test_a_backup_tells_what_is_in_it(tmp_path: Path):
    ended()

    ran = run("backup", str(tmp_path))

    (made,) = tmp_path.glob("pirunner-*.tar.gz")
    assert ran.lines[0] == f"{made}:"
    assert "1 jobs, 0 schedules" in ran.out
    assert "--with-secrets" in ran.out
    assert made.stat().st_mode & 0o777 == 0o600


def test_a_backup_is_replaced_only_by_force(archive: Path):
    before = archive.read_bytes()

    assert "--force" in run("backup", str(archive)).err
    assert archive.read_bytes() == before
    assert run("backup", str(archive), "--force").code == 0
    assert run("backup", str(archive / "nowhere" / "b")).code == 1


def test_a_restore_never_overwrites(archive: Path, owner: Any):
    job = ended()
    artifact(job, owner.DATA_DIR)

    ran = run("restore", str(archive))

    assert (ran.code, "There is data already" in ran.err) == (1, True)
    assert Job.objects.filter(pk=job.pk).exists()
    assert list(owner.RUNNER_DATA_DIR.glob(".restore-*")) == []


def test_a_restore_waits_for_the_stop(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "run").mkdir()
    with holding(running.up_lock()):
        assert is_held(running.up_lock())
        assert "stop it first" in run("restore", str(archive), "--force").err

    clock = leader_lock()
    assert clock.hold()
    assert "A clock works" in run("restore", str(archive), "--force").err
    clock.release()

    monkeypatch.setattr(running, "health", lambda: {"service": "api"})
    assert "A pirunner answers" in run("restore", str(archive), "--force").err


def test_a_restore_is_refused_for_another_kind_of_database(archive: Path, monkeypatch: pytest.MonkeyPatch):
    other = "postgresql" if connection.vendor == "sqlite" else "sqlite"
    with tarfile.open(archive) as tar:
        raw = tar.extractfile(places.MANIFEST)
        assert raw
        manifest = decode(raw.read())
    assert manifest.database == connection.vendor
    monkeypatch.setattr(
        "pirunner.backup.reading.decode",
        lambda _: decode(
            encode(manifest).replace(f'"database": "{connection.vendor}"'.encode(), f'"database": "{other}"'.encode())
        ),
    )

    assert f"The backup is of {other}" in run("restore", str(archive), "--force").err


def test_what_is_no_backup_is_a_sentence(tmp_path: Path):
    (tmp_path / "x").write_text("tea")

    assert "no backup" in run("restore", str(tmp_path / "x")).err
    assert "No such file" in run("restore", str(tmp_path / "y")).err


def test_secrets_that_are_not_there_cannot_be_put_back(archive: Path):
    assert "holds no secrets" in run("restore", str(archive), "--force", "--with-secrets").err


def test_without_pg_dump_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(Exception, match="pg_dump is not installed here"):
        postgres.dump(tmp_path / "x", "snapshot")
