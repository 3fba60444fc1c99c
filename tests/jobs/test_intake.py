"""The intake: submissions that come together are accepted together, and each hears what became of its own."""

import threading
from concurrent.futures import Future
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection

from jobs import intake as intake_module
from jobs.intake import LARGEST_BATCH, Intake, accept
from jobs.models import Job
from jobs.selectors import Idempotency, IdempotencyMismatch
from jobs.services import Accepted, NewJob, submit_many
from pirunner.errors import Unavailable
from tests.jobs.making import PING
from tests.parts import at_once, wait_for

pytestmark = pytest.mark.usefixtures("committed_db")

KEY = Idempotency(key="client-key-1", body_sha256="a" * 64)
OTHER_BODY = Idempotency(key="client-key-1", body_sha256="b" * 64)


def new(**fields: Any) -> NewJob:
    return NewJob(job_type=PING, **{"input": {}, "owner": "bootstrap", **fields})


def accepted(*new_jobs: NewJob) -> list[Any]:
    """Accept a batch; return each one's answer or error."""
    batch: list[tuple[NewJob, Future[Accepted]]] = [(new_job, Future()) for new_job in new_jobs]
    accept(batch)
    return [answer.exception(0) or answer.result(0) for _, answer in batch]


class Spy:
    """Counts the transactions, and lets the first one fail."""

    def __init__(self, *errors: Exception) -> None:
        self.sizes: list[int] = []
        self._errors = list(errors)

    def __call__(self, new_jobs: list[NewJob]) -> list[Accepted]:
        self.sizes.append(len(new_jobs))
        if self._errors:
            raise self._errors.pop(0)
        return submit_many(new_jobs)


def spy_on(monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> Spy:
    spy = Spy(*errors)
    monkeypatch.setattr(intake_module, "submit_many", spy)
    return spy


# -- a batch ------------------------------------------------------------------------------------------------------


def test_a_batch_is_one_transaction_and_each_gets_its_own_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    spy = spy_on(monkeypatch)

    answers = accepted(new(priority=3), new(priority=1), new(priority=2))

    assert spy.sizes == [3]
    assert [Job.objects.get(pk=answer.answer["jobId"]).priority for answer in answers] == [3, 1, 2]


def test_two_of_one_key_in_a_batch_make_one_job() -> None:
    first, other, again = accepted(new(idempotency=KEY), new(), new(idempotency=KEY))

    assert again == Accepted(first.answer, deduplicated=True)
    assert not other.deduplicated
    assert Job.objects.count() == 2


def test_one_bad_key_does_not_spoil_the_others() -> None:
    accepted(new(idempotency=KEY))

    before, bad, after = accepted(new(), new(idempotency=OTHER_BODY), new())

    assert isinstance(bad, IdempotencyMismatch)
    assert [type(answer) for answer in (before, after)] == [Accepted, Accepted]
    assert Job.objects.count() == 3


def test_one_that_cannot_be_written_does_not_spoil_the_others() -> None:
    before, bad, after = accepted(new(), new(input={"no": object()}), new())

    assert isinstance(bad, TypeError)
    assert [type(answer) for answer in (before, after)] == [Accepted, Accepted]
    assert Job.objects.count() == 2


def test_one_that_is_not_wanted_beside_another_does_not_spoil_the_others() -> None:
    rejecting = new(concurrency_key="briefs", on_conflict="reject")

    outcomes = accepted(rejecting, new(), rejecting)

    assert [type(outcome).__name__ for outcome in outcomes] == ["Accepted", "Accepted", "ConcurrencyConflict"]


@pytest.mark.parametrize("error", [OperationalError("database is locked"), InterfaceError("connection is closed")])
def test_a_database_that_is_away_is_told_to_all_and_asked_anew_next_time(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    connection.ensure_connection()
    spy = spy_on(monkeypatch, error)

    assert accepted(new(), new()) == [error, error]

    assert connection.connection is None
    assert spy.sizes == [2]
    assert Job.objects.count() == 0
    assert [type(answer) for answer in accepted(new())] == [Accepted]


def test_those_who_depend_on_others_hear_of_a_locked_database_without_trying_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = OperationalError("database is locked")
    spy = spy_on(monkeypatch, error)

    assert accepted(new(idempotency=KEY), new(idempotency=KEY)) == [error, error]
    assert spy.sizes == [1]


# -- the thread ---------------------------------------------------------------------------------------------------


def test_a_submission_is_on_disk_when_it_returns() -> None:
    answer = Intake().submit(new())

    assert Job.objects.filter(pk=answer.answer["jobId"]).exists()


def test_an_error_is_raised_where_the_submission_waits() -> None:
    intake = Intake()
    intake.submit(new(idempotency=KEY))

    with pytest.raises(IdempotencyMismatch):
        intake.submit(new(idempotency=OTHER_BODY))


def test_submissions_gather_while_a_commit_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    spy = spy_on(monkeypatch)
    first_is_there, go_on = threading.Event(), threading.Event()

    def slow_first(new_jobs: list[NewJob]) -> list[Accepted]:
        first_is_there.set()
        assert go_on.wait(10)
        return spy(new_jobs)

    monkeypatch.setattr(intake_module, "submit_many", slow_first)
    intake = Intake()
    threads = [threading.Thread(target=intake.submit, args=(new(),)) for _ in range(6)]
    threads[0].start()
    assert first_is_there.wait(10)
    for thread in threads[1:]:
        thread.start()
    wait_for(lambda: intake._waiting.qsize() == 5)
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert spy.sizes == [1, 5]
    assert Job.objects.count() == 6


def test_who_comes_while_the_database_is_locked_for_long_hears_of_it_with_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake_module, "LONG_SECONDS", 0.0)
    first_is_there, go_on = threading.Event(), threading.Event()
    spy = Spy(OperationalError("database is locked"))

    def locked(new_jobs: list[NewJob]) -> list[Accepted]:
        first_is_there.set()
        assert go_on.wait(10)
        return spy(new_jobs)

    monkeypatch.setattr(intake_module, "submit_many", locked)
    intake = Intake()
    groups: list[list[tuple[NewJob, Future[Accepted]]]] = [[(new(), Future())] for _ in range(3)]
    intake._waiting.put(groups[0])
    intake._start()
    assert first_is_there.wait(10)
    for group in groups[1:]:
        intake._waiting.put(group)
    go_on.set()

    for ((_, answer),) in groups:
        assert isinstance(answer.exception(10), OperationalError)
    assert spy.sizes == [1]
    assert intake.submit(new())


def test_a_batch_has_a_limit() -> None:
    intake = Intake()
    for _ in range(LARGEST_BATCH + 1):
        intake._waiting.put([(new(), Future())])

    assert len(intake._next_batch()) == LARGEST_BATCH
    assert len(intake._next_batch()) == 1


def test_many_threads_at_once_get_each_their_own_job() -> None:
    intake = Intake()

    outcomes: list[Any] = at_once([lambda: intake.submit(new())] * 12)

    assert len({outcome.answer["jobId"] for outcome in outcomes}) == 12
    assert Job.objects.count() == 12


def test_several_with_one_key_at_the_same_instant_make_one_job() -> None:
    intake = Intake()

    outcomes: list[Any] = at_once([lambda: intake.submit(new(idempotency=KEY))] * 6)

    assert {outcome.answer["jobId"] for outcome in outcomes} == {str(Job.objects.get().pk)}


def test_whom_patience_leaves_hears_that_nothing_was_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "PATIENCE_SECONDS", 0.05)
    intake = Intake()
    monkeypatch.setattr(intake, "_start", lambda: None)

    with pytest.raises(Unavailable):
        intake.submit(new())

    monkeypatch.undo()
    monkeypatch.setattr(intake_module, "submit_many", submit_many)
    intake.submit(new())
    assert Job.objects.count() == 1


def test_whoever_is_being_written_waits_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "PATIENCE_SECONDS", 0.2)
    begun = threading.Event()

    def slow(new_jobs: list[NewJob]) -> list[Accepted]:
        begun.wait(0.3)
        return submit_many(new_jobs)

    monkeypatch.setattr(intake_module, "submit_many", slow)

    assert Intake().submit(new()).answer["status"] == "queued"
