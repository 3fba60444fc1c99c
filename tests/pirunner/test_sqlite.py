"""SQLite with several writers: who waits for the lock gets it soon, and gives up in time."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from pirunner.sqlite.base import DatabaseWrapper


@pytest.fixture
def connect(tmp_path: Path, django_db_blocker: Any) -> Iterator[Callable[[float], Any]]:
    """Open connections to one file, each waiting so many seconds for its lock."""
    opened: list[Any] = []

    def open_one(patience: float = 10) -> Any:
        database = {**settings.SQLITE, "NAME": tmp_path / "test.sqlite3", "TEST": {}}
        database["OPTIONS"] = {**settings.SQLITE["OPTIONS"], "timeout": patience}
        opened.append(ConnectionHandler({"default": database})["default"])
        opened[-1].inc_thread_sharing()
        return opened[-1]

    with django_db_blocker.unblock():
        with open_one().cursor() as cursor:
            cursor.execute("CREATE TABLE numbers (n INTEGER)")
        yield open_one
        for wrapper in opened:
            wrapper.close()


def atomic(wrapper: Any) -> Any:
    """Begin a transaction on a connection that is in no handler of Django's."""
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def commit(wrapper: Any) -> None:
    wrapper.commit()
    wrapper.set_autocommit(True)


def insert(wrapper: Any, number: int) -> None:
    with wrapper.cursor() as cursor:
        cursor.execute("INSERT INTO numbers VALUES (%s)", [number])


def numbers(wrapper: Any) -> list[int]:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT n FROM numbers ORDER BY n")
        return [row[0] for row in cursor.fetchall()]


def pragma(wrapper: Any, name: str) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


def test_it_is_what_the_settings_name(connect: Any) -> None:
    assert isinstance(connect(), DatabaseWrapper)
    assert connect().vendor == "sqlite"


def test_accepted_work_reaches_the_disk(connect: Any) -> None:
    wrapper = connect()

    assert (pragma(wrapper, "journal_mode"), pragma(wrapper, "synchronous")) == ("wal", 2)
    assert pragma(wrapper, "foreign_keys") == 1


def test_two_writers_take_turns(connect: Any) -> None:
    first, second = connect(), connect()
    atomic(first)
    insert(first, 1)
    entered = threading.Event()

    def write() -> None:
        entered.set()
        atomic(second)
        insert(second, 2)
        commit(second)

    thread = threading.Thread(target=write)
    thread.start()
    entered.wait(10)
    thread.join(0.05)
    assert thread.is_alive()
    commit(first)
    thread.join(10)

    assert numbers(first) == [1, 2]


def test_who_waits_gets_the_lock_soon_after_it_is_free(connect: Any) -> None:
    first, second = connect(), connect()
    second.ensure_connection()
    atomic(first)
    free_at: list[float] = []
    got_at: list[float] = []

    def write() -> None:
        atomic(second)
        got_at.append(time.monotonic())
        commit(second)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join(0.3)  # long enough that SQLite's own wait would look every 100 ms only
    free_at.append(time.monotonic())
    commit(first)
    thread.join(10)

    assert 0 <= got_at[0] - free_at[0] < 1


def test_when_patience_is_over_it_is_an_error_and_nothing_is_written(connect: Any) -> None:
    first, second = connect(), connect(0.1)
    second.ensure_connection()
    atomic(first)
    begun = time.monotonic()

    with pytest.raises(OperationalError, match="locked"):
        atomic(second)

    assert 0.1 <= time.monotonic() - begun < 3
    commit(first)
    second.close()
    assert numbers(first) == []


def test_patience_can_be_made_shorter_for_a_connection(connect: Any) -> None:
    first, second = connect(), connect(30)
    second.ensure_connection()
    second.wait_at_most(0.05)
    atomic(first)
    begun = time.monotonic()

    with pytest.raises(OperationalError):
        atomic(second)
    assert time.monotonic() - begun < 5
    assert pragma(second, "busy_timeout") == 50
    commit(first)


def test_the_shorter_patience_lasts_when_it_connects_anew(connect: Any) -> None:
    wrapper = connect(30)
    wrapper.ensure_connection()
    wrapper.wait_at_most(0.05)
    wrapper.close()

    assert pragma(wrapper, "busy_timeout") == 50


def test_outside_a_transaction_sqlite_itself_waits_as_long(connect: Any) -> None:
    wrapper = connect(7)
    atomic(wrapper)
    commit(wrapper)

    assert pragma(wrapper, "busy_timeout") == 7000


def test_readers_do_not_wait_for_a_writer(connect: Any) -> None:
    writer, reader = connect(), connect(0.1)
    insert(writer, 1)
    atomic(writer)
    insert(writer, 2)

    assert numbers(reader) == [1]
    commit(writer)
    assert numbers(reader) == [1, 2]


def test_many_writers_lose_nothing(connect: Any) -> None:
    def write(base: int) -> None:
        wrapper = connect(30)
        for number in range(20):
            atomic(wrapper)
            insert(wrapper, base + number)
            commit(wrapper)
        wrapper.close()

    threads = [threading.Thread(target=write, args=(base,)) for base in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(numbers(connect())) == 80
