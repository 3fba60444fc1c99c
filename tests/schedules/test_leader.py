"""Leadership: one of several, and free as soon as its holder is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from schedules.leader import AdvisoryLock, FileLock, LeaderLock, leader_lock
from tests.parts import wait_for
from tests.stack import ROOT

pytestmark = pytest.mark.usefixtures("committed_db")

HOLDER = """
import sys
from pathlib import Path
from schedules.leader import FileLock
print(FileLock(Path(sys.argv[1])).hold(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locks(tmp_path: Path) -> Iterator[tuple[LeaderLock, LeaderLock]]:
    """Two locks on the same leadership, of the kind that fits the database."""
    pair: tuple[LeaderLock, LeaderLock]
    if connection.vendor == "postgresql":
        pair = (AdvisoryLock(), AdvisoryLock())
    else:
        pair = (FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock"))
    yield pair
    for lock in pair:
        lock.release()


Pair = tuple[LeaderLock, LeaderLock]


def test_one_of_two_leads(locks: Pair) -> None:
    first, second = locks

    assert (first.hold(), second.hold()) == (True, False)


def test_the_leader_stays_the_leader(locks: Pair) -> None:
    first, second = locks

    assert [first.hold(), first.hold(), second.hold(), first.hold()] == [True, True, False, True]


def test_when_one_gives_up_the_other_leads(locks: Pair) -> None:
    first, second = locks
    first.hold()
    second.hold()

    first.release()

    assert second.hold()
    assert not first.hold()


def test_giving_up_what_is_not_held_is_no_error(locks: Pair) -> None:
    locks[0].release()
    locks[0].release()

    assert locks[1].hold()


def test_the_lock_fits_the_database() -> None:
    lock = leader_lock()

    assert isinstance(lock, AdvisoryLock if connection.vendor == "postgresql" else FileLock)
    assert lock.hold()
    lock.release()


# -- files --------------------------------------------------------------------------------------------------------


@contextmanager
def another_process(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Let another process hold the lock on a file."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "pirunner.settings"}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin
    assert holder.stdout
    try:
        assert holder.stdout.readline() == "True\n"
        yield holder
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_file_is_free_as_soon_as_its_holder_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    lock = FileLock(tmp_path / "lock")
    with another_process(tmp_path / "lock") as holder:
        assert not lock.hold()

        holder.send_signal(number)
        holder.wait(10)

        assert lock.hold()
    lock.release()


def test_a_frozen_holder_keeps_the_file(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with another_process(tmp_path / "lock") as holder:
        holder.send_signal(signal.SIGSTOP)

        assert not lock.hold()


def test_a_child_process_does_not_inherit_the_file(tmp_path: Path) -> None:
    lock, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    lock.hold()
    with subprocess.Popen(["sleep", "60"], close_fds=False) as child:
        lock.release()

        assert other.hold()
        child.kill()
    other.release()


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    lock.hold()

    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    lock.release()


# -- sessions of PostgreSQL ---------------------------------------------------------------------------------------


@pytest.fixture
def advisory(locks: Pair) -> Pair:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no sessions")
    return locks


def end_sessions() -> None:
    """End every other session of the database, as a restart of the server would."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
            " WHERE l.locktype = 'advisory' AND a.datname = current_database() AND l.pid <> pg_backend_pid()"
        )


def test_a_session_that_was_ended_frees_the_lock(advisory: Pair) -> None:
    first, second = advisory
    first.hold()

    end_sessions()

    assert wait_for(second.hold)


def test_a_leader_whose_session_was_ended_notices(advisory: Pair) -> None:
    first, second = advisory
    first.hold()
    end_sessions()
    wait_for(second.hold)

    assert not first.hold()
    second.release()
    assert wait_for(first.hold)


def test_the_leader_is_not_hurt_by_what_happens_to_other_connections(advisory: Pair) -> None:
    first, second = advisory
    first.hold()

    connection.close()

    assert (first.hold(), second.hold()) == (True, False)
