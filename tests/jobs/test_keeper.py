"""The keeper: what the worker's parent does for the runs of its children, which are real processes here."""

import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from jobs import keeper
from jobs.deadlines import CANCEL_GRACE, Deadlines
from jobs.keeper import give_back, keep
from jobs.models import Job
from tests.jobs.children import Child, dead, zombie
from tests.jobs.making import INSTANCE, active, job_type, register, waiting

pytestmark = pytest.mark.usefixtures("committed_db")


def look(busy: list[int], *, renew: bool = True, **more: Any) -> dict[int, str]:
    ended: dict[int, str] = more.pop("ended", {})
    keep(INSTANCE, busy, ended, renew=renew, deadlines=more.pop("deadlines", None) or Deadlines(), **more)
    return ended


def held_by(pid: int, **fields: Any) -> Job:
    """Write a job that a child holds under a lease that is almost over."""
    return active(**{"child_pid": pid, "lease_expires_at": timezone.now() + timedelta(seconds=1), **fields})


def is_renewed(job: Job) -> bool:
    job.refresh_from_db()
    assert job.lease_expires_at is not None
    return job.lease_expires_at > timezone.now() + timedelta(seconds=5)


# -- children that live -------------------------------------------------------------------------------------------


def test_what_a_live_busy_child_holds_is_renewed(child: Any) -> None:
    pid = child().pid
    job = held_by(pid)

    look([pid])

    assert is_renewed(job)
    assert job.state == "active"


def test_between_renewals_nothing_is_written(child: Any) -> None:
    pid = child().pid
    job = held_by(pid)

    look([pid], renew=False)

    assert not is_renewed(job)


def test_what_an_idle_child_holds_is_not_renewed(child: Any) -> None:
    job = held_by(child().pid)

    look([])

    assert not is_renewed(job)
    assert job.state == "active"


def test_what_another_worker_holds_is_left_alone(child: Any) -> None:
    pid = child().pid
    job = held_by(pid, instance="elsewhere/1/1")
    dead_elsewhere = held_by(2**22 - 1, instance="elsewhere/1/1", token="u" * 32)

    look([pid])

    assert not is_renewed(job)
    assert not is_renewed(dead_elsewhere)
    assert dead_elsewhere.state == "active"


def test_an_idle_worker_only_reads(django_assert_num_queries: Any) -> None:
    waiting()

    with django_assert_num_queries(1):
        ended = look([], ended={7: "long ago"})

    assert ended == {}


# -- children that died -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("die", [zombie, dead])
def test_what_a_dead_child_held_is_taken_back_at_once(child: Any, die: Callable[[Child], int]) -> None:
    pid = die(child())
    job = held_by(pid)

    look([pid])

    job.refresh_from_db()
    assert (job.state, job.attempts_made, job.error_class) == ("waiting", 1, "WorkerLost")
    assert "its process ended" in job.error


def test_the_job_of_a_live_child_is_kept_when_another_dies(child: Any) -> None:
    live = child().pid
    kept, lost = held_by(live), held_by(dead(child()), token="u" * 32)

    look([live])

    assert is_renewed(kept)
    lost.refresh_from_db()
    assert lost.state == "waiting"


def test_in_a_planned_stop_a_dead_child_costs_no_attempt(child: Any) -> None:
    job = held_by(dead(child()))

    look([], stopping=True)

    job.refresh_from_db()
    assert (job.state, job.attempts_made) == ("waiting", 0)


# -- children that must not go on ---------------------------------------------------------------------------------


def past_deadline() -> dict[str, Any]:
    return {"deadline_at": timezone.now() - timedelta(seconds=1)}


def cancelled_long_ago() -> dict[str, Any]:
    return {"cancel_requested_at": timezone.now() - 2 * CANCEL_GRACE, "cancel_requested_by": "ana"}


@pytest.mark.parametrize(
    ("why", "reason", "state"),
    [(past_deadline, "time limit exceeded", "waiting"), (cancelled_long_ago, "cancelled", "cancelled")],
)
def test_a_child_that_must_not_go_on_is_ended_and_its_job_taken_back(
    child: Any, why: Callable[[], dict[str, Any]], reason: str, state: str
) -> None:
    begun = child()
    job = held_by(begun.pid, **why())

    ended = look([begun.pid])
    assert begun.wait(10) == -signal.SIGKILL
    look([], ended=ended)

    job.refresh_from_db()
    assert reason in ended.get(begun.pid, reason)
    assert job.state == state
    assert reason in job.error


def test_a_late_child_is_left_alone_while_the_database_takes_no_writes(
    child: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked() -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(keeper, "insist_on_writes", locked)
    begun = child()
    held_by(begun.pid, **past_deadline())

    with pytest.raises(OperationalError):
        look([begun.pid])

    assert begun.poll() is None


def test_a_child_that_takes_too_much_memory_is_ended(child: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, job_type("slow", memory_limit=0))
    begun = child()
    job = held_by(begun.pid)

    ended = look([begun.pid])
    assert begun.wait(10) == -signal.SIGKILL
    look([], ended=ended)

    job.refresh_from_db()
    assert job.error == "memory limit of 0 MiB exceeded"


def test_a_job_at_its_deadline_is_not_renewed_even_if_its_child_cannot_be_ended(child: Any) -> None:
    pid = zombie(child())
    job = held_by(pid, **past_deadline(), attempts_made=2)

    look([pid])

    job.refresh_from_db()
    assert job.state == "failed"


def test_a_child_that_is_gone_already_is_no_error(child: Any) -> None:
    pid = dead(child())
    job = held_by(pid, **past_deadline())

    look([pid])

    job.refresh_from_db()
    assert job.state == "waiting"


def test_an_idle_child_is_not_ended_for_a_job_that_it_no_longer_runs(child: Any) -> None:
    begun = child()
    held_by(begun.pid, **past_deadline())

    look([])

    assert begun.poll() is None


@pytest.mark.parametrize("since", [timedelta(0), CANCEL_GRACE / 2])
def test_a_cancelled_job_has_a_moment_to_stop_by_itself(child: Any, since: timedelta) -> None:
    begun = child()
    held_by(begun.pid, cancel_requested_at=timezone.now() - since)

    look([begun.pid])

    assert begun.poll() is None


# -- a worker that stops ------------------------------------------------------------------------------------------


def test_a_worker_that_stops_gives_back_all_that_it_holds(child: Any) -> None:
    mine = [held_by(child().pid, token=letter * 32) for letter in "ab"]
    other = held_by(1, instance="elsewhere/1/1", token="c" * 32)

    give_back(INSTANCE)

    for job in (*mine, other):
        job.refresh_from_db()
    assert {(job.state, job.attempts_made) for job in mine} == {("waiting", 0)}
    assert other.state == "active"
