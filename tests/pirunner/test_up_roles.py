"""The parts that can be run alone."""

import os
import signal
from pathlib import Path

import pytest

from pirunner.up import first_start, preflight
from pirunner.up.broker import shared_broker
from pirunner.up.faults import Exit, StartFault
from pirunner.up.roles import EVERYTHING, Role, roles_of, secrets_of
from tests.stack import wait_for


@pytest.mark.parametrize(
    ("texts", "roles"),
    [
        ([], EVERYTHING),
        (["api"], {Role.API}),
        (["api,worker", " io "], {Role.API, Role.WORKER, Role.IO}),
        (["redis,api,worker,io,clock,flower"], EVERYTHING),
    ],
)
def test_roles_are_named_one_by_one_or_by_comma(texts: list[str], roles: set[Role]) -> None:
    assert roles_of(texts) == roles


def test_an_unknown_role_is_one_sentence() -> None:
    with pytest.raises(StartFault, match="There is no role 'relay'") as caught:
        roles_of(["api,relay"])
    assert caught.value.exit_code == Exit.ENVIRONMENT


def lock_in_a_child(folder: Path, *roles: Role) -> int:
    """The exit code of a process that takes the folder for these roles."""
    child = os.fork()
    if child == 0:
        try:
            preflight._lock(folder, frozenset(roles) or EVERYTHING)
        except StartFault as fault:
            os._exit(fault.exit_code)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_parts_share_a_folder_but_not_with_the_same_part_nor_with_the_whole(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    holder = os.fork()
    if holder == 0:
        preflight._lock(tmp_path, frozenset({Role.API}))
        (tmp_path / "held").touch()
        signal.pause()
    wait_for((tmp_path / "held").exists)

    assert lock_in_a_child(tmp_path, Role.WORKER, Role.IO) == 0
    assert lock_in_a_child(tmp_path, Role.API) == Exit.RUNNING
    assert lock_in_a_child(tmp_path) == Exit.RUNNING
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    assert lock_in_a_child(tmp_path) == 0


@pytest.fixture
def no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (*first_start.MAKERS, "DATABASE_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "env"))
    return tmp_path / "env"


def test_a_part_with_a_shared_database_makes_no_secrets_of_its_own(
    no_secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://pi@db.example/pirunner")
    monkeypatch.setenv("SECRET_KEY", "the-same-as-there")

    with pytest.raises(StartFault, match=r"^WEBHOOK_SECRET must be the same") as caught:
        first_start.prepare(frozenset({Role.WORKER}))

    assert caught.value.exit_code == Exit.SECRET
    assert not no_secrets.exists()


def test_a_part_alone_on_its_machine_makes_the_secrets(no_secrets: Path) -> None:
    first_start.prepare(frozenset({Role.WORKER}))

    assert set(secrets_of(EVERYTHING)) <= {line.partition("=")[0] for line in no_secrets.read_text().splitlines()}


def test_parts_find_their_broker_at_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.delenv("BROKER_URL", raising=False)
    here = tmp_path if len(str(tmp_path)) < 70 else Path(os.path.relpath(tmp_path))
    served, found = shared_broker(here, serves=True), shared_broker(here, serves=False)

    assert served is not None
    assert found is not None
    assert served.url == found.url == f"redis+socket://{here}/redis/redis.sock"
    with pytest.raises(StartFault, match="too long for a socket"):
        shared_broker(tmp_path / ("long" * 30), serves=False)


def test_a_broker_of_the_owners_needs_no_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")

    assert shared_broker(tmp_path, serves=False) is None
    with pytest.raises(StartFault, match="no role redis is needed"):
        shared_broker(tmp_path, serves=True)
