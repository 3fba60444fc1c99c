"""The keeper's means: telling processes apart, and a database connection that no fork inherits."""

import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from django.db import OperationalError, connection

from jobs import keeper
from jobs.keeper import with_database
from jobs.models import Job
from jobs.processes import is_running, resident_mib
from tests.jobs.children import dead, zombie

pytestmark = pytest.mark.usefixtures("committed_db")


def test_processes_are_told_apart(child: Any) -> None:
    assert is_running(os.getpid())
    assert is_running(child().pid)
    assert not is_running(zombie(child()))
    assert not is_running(dead(child()))


def test_a_name_with_brackets_does_not_confuse(tmp_path: Any) -> None:
    link = tmp_path / "a) Z (b"
    link.symlink_to(sys.executable)
    begun = subprocess.Popen([link, "-c", "import time; time.sleep(60)"])
    try:
        assert is_running(begun.pid)
    finally:
        begun.kill()
        begun.wait()


def test_memory_is_read(child: Any) -> None:
    assert 1 < resident_mib(os.getpid()) < 10_000
    assert resident_mib(dead(child())) == 0.0


def test_no_connection_stays_open() -> None:
    assert with_database(Job.objects.count) == 0

    assert connection.connection is None


def test_a_connection_that_failed_is_closed_too() -> None:
    def fail() -> None:
        raise OperationalError("database is locked")

    with pytest.raises(OperationalError):
        with_database(fail)

    assert connection.connection is None
    assert not keeper._no_fork.locked()


def test_a_fork_waits_until_no_connection_is_open() -> None:
    inside, go_on = threading.Event(), threading.Event()
    forked_at: list[float] = []

    def hold() -> None:
        inside.set()
        go_on.wait(10)

    def fork() -> None:
        inside.wait(10)
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        forked_at.append(time.monotonic())

    holder = threading.Thread(target=with_database, args=(hold,))
    forker = threading.Thread(target=fork)
    holder.start()
    forker.start()
    assert inside.wait(10)
    forker.join(0.1)
    assert not forked_at
    let_go = time.monotonic()
    go_on.set()
    forker.join(10)
    holder.join(10)

    assert forked_at[0] >= let_go


def test_sqlite_is_waited_for_a_second_at_most() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has no such lock")

    def patience() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            return cursor.fetchone()[0]

    assert with_database(patience) == 1000
