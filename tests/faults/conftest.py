"""Stacks to be hurt, on SQLite and, for what matters most, on PostgreSQL as well."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from scripts.lib.postgres import PostgresFault, find_binaries, private_postgres
from tests.faults.harness import FaultStack

_figures: list[str] = []


@pytest.fixture
def report(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Print a line of figures at the end of the run, and keep it in the JUnit report."""

    def keep(line: str) -> None:
        _figures.append(f"{request.node.name}: {line}")
        record_property("figures", line)

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the fault tests measured."""
    if _figures:
        terminalreporter.section("figures of the fault tests")
    for line in _figures:
        terminalreporter.line(line)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that at the end nobody waits for one test alone."""
    items.sort(key=_seconds_allowed, reverse=True)


def _seconds_allowed(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0.0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the processes printed when a test fails."""
    outcome = yield
    for value in getattr(item, "funcargs", {}).values():
        if outcome.failed and isinstance(value, FaultStack):
            outcome.sections.append(("what pirunner printed", value.log()))
    return outcome


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server: ``DATABASE_URL``'s, else one of our own; skips where there is none."""
    if given := os.environ.get("DATABASE_URL", ""):
        yield given
        return
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: neither DATABASE_URL nor a server's binaries")
    with ExitStack() as open_until_the_end:
        try:
            server = open_until_the_end.enter_context(private_postgres(binaries))
        except PostgresFault as fault:
            pytest.skip(f"no PostgreSQL: {fault}")
        yield server


def _new_database(server: str) -> Iterator[str]:
    name = f"faults_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    yield urlsplit(server)._replace(path=f"/{name}").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[FaultStack]:
    """A whole pirunner on SQLite."""
    with FaultStack(tmp_path) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each database in turn: "" for SQLite, the address of a new one for PostgreSQL."""
    if request.param == "sqlite":
        yield ""
    else:
        yield from _new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def any_stack(any_database: str, tmp_path: Path) -> Iterator[FaultStack]:
    """A whole pirunner, on each database in turn."""
    with FaultStack(tmp_path, database_url=any_database) as running:
        yield running
