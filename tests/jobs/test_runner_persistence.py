"""A result is kept until the database takes it."""

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError

from jobs import runner
from jobs.endings import Ending
from jobs.lifecycle import end_many
from jobs.models import Job
from jobs.runner import answer_ring, persistently
from tests.jobs.making import WORKER, job_type, register, waiting

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let pauses take no time; return how long they would have been."""
    pauses: list[float] = []
    monkeypatch.setattr("jobs.runner.time.sleep", pauses.append)
    return pauses


def test_a_result_is_kept_until_the_database_takes_it(monkeypatch: pytest.MonkeyPatch, at_once: list[float]) -> None:
    failures = iter([OperationalError("database is locked"), InterfaceError("connection is closed")])

    def refuse_twice(endings: list[Ending]) -> list[Ending]:
        for error in failures:
            raise error
        return end_many(endings)

    monkeypatch.setattr(runner, "end_many", refuse_twice)
    ran: list[int] = []

    def run(_ctx: Any, _input: Any) -> dict[str, Any]:
        ran.append(1)
        return {"n": len(ran)}

    register(monkeypatch, job_type(run=run))
    waiting()
    answer_ring("slow", worker=WORKER)
    job = Job.objects.get()

    assert (job.state, job.result) == ("completed", {"n": 1})
    assert at_once == [0.1, 0.2]


def test_pauses_grow_to_two_seconds(at_once: list[float]) -> None:
    failures = iter([OperationalError("locked")] * 7)

    def write() -> str:
        for error in failures:
            raise error
        return "written"

    assert persistently(write) == "written"
    assert at_once == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0])


def test_a_fault_of_our_own_is_not_repeated(at_once: list[float]) -> None:
    def write() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        persistently(write)
    assert at_once == []
