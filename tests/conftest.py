"""Fixtures that every test may use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from tests.database import committed_db, database_for_threads, django_db_modify_db_settings, django_db_setup
from tests.stack import Stack

__all__ = ["committed_db", "database_for_threads", "django_db_modify_db_settings", "django_db_setup"]


_DATABASE = {"db", "transactional_db", "committed_db", "database_for_threads", "django_db_setup", "database_url"}
"""The fixtures of tests that have to do with the database."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, on PostgreSQL, what does not touch the database: it has run on SQLite, and would do the same again."""
    if not os.environ.get("DATABASE_URL"):
        return
    others = [item for item in items if not _touches_database(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if _touches_database(item)]


def _touches_database(item: pytest.Item) -> bool:
    # A whole stack has the tests' database only if it is told its address; otherwise it makes one of its own.
    return item.get_closest_marker("django_db") is not None or bool(_DATABASE & set(getattr(item, "fixturenames", ())))


@contextmanager
def empty_database() -> Iterator[str]:
    """The address of an empty database for one stack; "" where the tests run on SQLite."""
    server = os.environ.get("DATABASE_URL", "")
    if not server:
        yield ""
        return
    name = f"stack_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database_url() -> Iterator[str]:
    """The address of an empty database for one stack; "" where the tests run on SQLite."""
    with empty_database() as url:
        yield url


@pytest.fixture
def other_database_url() -> Iterator[str]:
    """Another one."""
    with empty_database() as url:
        yield url


@pytest.fixture
def stack(tmp_path: Path, database_url: str) -> Iterator[Stack]:
    """A whole pirunner that has been started and is stopped at the end."""
    with Stack(tmp_path, database_url=database_url) as running:
        yield running
