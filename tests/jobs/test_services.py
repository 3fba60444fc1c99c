"""Accepting jobs: rows, keys and rings."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from jobs.models import IdempotencyKey, Job
from jobs.ranking import rank_of
from jobs.selectors import Idempotency, IdempotencyMismatch, find_answer
from jobs.services import Accepted, ConcurrencyConflict, NewJob, submit_job, submit_many
from pirunner.doorbell import Ring
from tests.jobs.making import PING, SLOW, active, delayed, waiting
from tests.parts import at_once
from webhooks.models import Event

pytestmark = pytest.mark.usefixtures("committed_db")

KEY = Idempotency(key="client-key-1", body_sha256="a" * 64)
OTHER_BODY = Idempotency(key="client-key-1", body_sha256="b" * 64)


def new(kind: Any = PING, **fields: Any) -> NewJob:
    return NewJob(job_type=kind, **{"input": {"n": 1}, "owner": "bootstrap", **fields})


def row_of(accepted: Any) -> Job:
    return Job.objects.get(pk=accepted.answer["jobId"])


# -- rows and rings -----------------------------------------------------------------------------------------------


def test_a_job_for_now_waits_and_is_rung_for(rings: list[Ring]) -> None:
    accepted = submit_job(new(SLOW, priority=2, metadata={"a": 1}, callback_url="http://x/", backend="bullmq"))

    job = row_of(accepted)
    assert accepted.answer == {"jobId": str(job.pk), "status": "queued", "backend": "bullmq", "scheduled": False}
    assert (job.job_type, job.queue, job.state, job.priority) == ("slow", "jobs", "waiting", 2)
    assert (job.input, job.metadata, job.callback_url, job.owner) == ({"n": 1}, {"a": 1}, "http://x/", "bootstrap")
    assert (job.run, job.attempts_made, job.max_attempts, job.token) == (0, 0, 3, None)
    assert job.created_at == job.due_at == job.queued_at
    assert job.rank == rank_of(2, job.due_at)
    assert rings == [Ring("jobs.slow", job.pk, "jobs", 2)]


def test_the_ring_of_a_light_job_is_shared(rings: list[Ring]) -> None:
    submit_job(new(PING))

    assert [ring.shared for ring in rings] == [True]


def test_a_job_for_later_is_delayed_and_not_rung_for(rings: list[Ring]) -> None:
    due_at = timezone.now() + timedelta(hours=1)

    accepted = submit_job(new(due_at=due_at, schedule={"runAt": "later"}))

    job = row_of(accepted)
    assert accepted.answer["scheduled"] is True
    assert (job.state, job.due_at, job.queued_at) == ("delayed", due_at, None)
    assert (job.schedule, job.rank) == ({"runAt": "later"}, rank_of(5, due_at))
    assert rings == []


def test_a_job_that_was_due_a_moment_ago_waits() -> None:
    assert row_of(submit_job(new(due_at=timezone.now() - timedelta(seconds=1)))).state == "waiting"


def test_warnings_are_part_of_the_answer() -> None:
    assert submit_job(new(warnings=("Unknown field 'x' is ignored.",))).answer["warnings"] == [
        "Unknown field 'x' is ignored."
    ]


def test_many_are_answered_in_order() -> None:
    accepted = submit_many([new(priority=priority) for priority in (3, 1, 2)])

    assert [row_of(each).priority for each in accepted] == [3, 1, 2]
    assert [each.deduplicated for each in accepted] == [False] * 3


def test_of_many_either_all_are_accepted_or_none(rings: list[Ring]) -> None:
    submit_job(new(idempotency=KEY))
    rings.clear()

    with pytest.raises(IntegrityError):
        submit_many([new(), new(idempotency=KEY), new()])

    assert Job.objects.count() == 1
    assert IdempotencyKey.objects.count() == 1
    assert rings == []


def test_input_with_any_text_comes_back_as_it_was() -> None:
    value = {"text": "a\x00b\ud800⏰", "number": 2**70, "keys": {"b": 1, "a": 2}}

    job = row_of(submit_job(new(input=value, metadata=value)))

    assert job.input == job.metadata == value
    assert list(job.input["keys"]) == ["b", "a"]


# -- idempotency --------------------------------------------------------------------------------------------------


def test_the_key_is_kept_with_the_answer(owner: Any) -> None:
    owner.IDEMPOTENCY_TTL_SECONDS = 100
    before = timezone.now()

    accepted = submit_job(new(idempotency=KEY))

    key = IdempotencyKey.objects.get()
    assert (key.owner, key.key, key.body_sha256, key.answer) == (
        "bootstrap",
        KEY.key,
        KEY.body_sha256,
        accepted.answer,
    )
    assert timedelta(seconds=100) <= key.expires_at - before < timedelta(seconds=110)
    assert find_answer(owner="bootstrap", idempotency=KEY) == accepted.answer


def test_the_same_key_and_body_give_the_first_answer() -> None:
    first = submit_job(new(idempotency=KEY))

    again = submit_job(new(idempotency=KEY))

    assert again == Accepted(first.answer, deduplicated=True)
    assert Job.objects.count() == 1


def test_the_same_key_with_another_body_is_refused() -> None:
    submit_job(new(idempotency=KEY))

    with pytest.raises(IdempotencyMismatch):
        submit_job(new(idempotency=OTHER_BODY))

    assert Job.objects.count() == 1


def test_the_same_key_of_another_token_is_another_key() -> None:
    submit_job(new(idempotency=KEY))

    assert find_answer(owner="another", idempotency=KEY) is None
    assert not submit_job(new(idempotency=KEY, owner="another")).deduplicated
    assert Job.objects.count() == 2


def test_an_expired_key_is_free_again() -> None:
    first = submit_job(new(idempotency=KEY))
    IdempotencyKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert find_answer(owner="bootstrap", idempotency=OTHER_BODY) is None

    second = submit_job(new(idempotency=OTHER_BODY))

    assert (first.answer["jobId"], second.deduplicated) != (second.answer["jobId"], True)
    assert IdempotencyKey.objects.get().body_sha256 == OTHER_BODY.body_sha256


def test_a_key_that_nobody_used_has_no_answer() -> None:
    assert find_answer(owner="bootstrap", idempotency=KEY) is None


def test_of_several_at_the_same_instant_one_makes_the_job_and_all_get_its_id() -> None:
    outcomes: list[Any] = at_once([lambda: submit_job(new(idempotency=KEY))] * 6)

    assert {outcome.answer["jobId"] for outcome in outcomes} == {str(Job.objects.get().pk)}
    assert sorted(outcome.deduplicated for outcome in outcomes) == [False] + [True] * 5


def test_of_several_bodies_at_the_same_instant_one_is_accepted() -> None:
    bodies = [Idempotency(key="client-key-1", body_sha256=letter * 64) for letter in "abcd"]

    outcomes = at_once([lambda body=body: submit_job(new(idempotency=body)) for body in bodies])  # type: ignore[misc]

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Accepted"] + ["IdempotencyMismatch"] * 3
    assert Job.objects.count() == 1


# -- concurrency keys ---------------------------------------------------------------------------------------------


def test_queue_accepts_a_job_beside_another_of_its_key() -> None:
    submit_job(new(concurrency_key="briefs"))

    assert row_of(submit_job(new(concurrency_key="briefs"))).state == "waiting"


@pytest.mark.parametrize("state", ["delayed", "waiting", "active"])
def test_reject_refuses_a_job_beside_an_open_one_of_its_key(state: str) -> None:
    make = {"delayed": delayed, "waiting": waiting, "active": active}[state]
    make(concurrency_key="briefs", due_at=timezone.now())

    with pytest.raises(ConcurrencyConflict, match="briefs"):
        submit_job(new(concurrency_key="briefs", on_conflict="reject"))

    assert Job.objects.count() == 1


@pytest.mark.parametrize("fields", [{"concurrency_key": "other"}, {"concurrency_key": "briefs", "state": "failed"}])
def test_reject_minds_neither_other_keys_nor_ended_jobs(fields: dict[str, Any]) -> None:
    waiting(**fields)

    assert row_of(submit_job(new(concurrency_key="briefs", on_conflict="reject"))).state == "waiting"


def test_replace_cancels_the_other_and_tells_so() -> None:
    other = waiting(concurrency_key="briefs")

    accepted = submit_job(new(concurrency_key="briefs", on_conflict="replace"))

    other.refresh_from_db()
    assert (other.state, other.error) == ("cancelled", "cancelled by bootstrap")
    assert row_of(accepted).state == "waiting"
    assert list(Event.objects.values_list("job_id", "kind")) == [(other.pk, "job.cancelled")]


def test_replace_asks_a_running_one_to_stop() -> None:
    other = active(concurrency_key="briefs")

    submit_job(new(concurrency_key="briefs", on_conflict="replace"))

    other.refresh_from_db()
    assert (other.state, other.cancel_requested_by) == ("active", "bootstrap")


def test_of_several_rejecting_at_the_same_instant_one_is_accepted() -> None:
    outcomes = at_once([lambda: submit_job(new(concurrency_key="briefs", on_conflict="reject"))] * 4)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Accepted"] + ["ConcurrencyConflict"] * 3
