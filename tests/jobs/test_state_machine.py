"""The whole life of jobs as a state machine: any turns in any order, by several workers, under a clock of ours.

Everything is real but the time: the services, the SQL, the database. After every turn the rows must agree with each
other, and with what was seen before.
"""

import datetime as dt
from collections import Counter
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_celery_results.models import TaskResult
from hypothesis import HealthCheck, assume
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from jobs import tally
from jobs.claims import LEASE, Claimer, renew_leases
from jobs.endings import Ending, attempt_failed, cancelled, completed, given_back
from jobs.errors import DoNotRetry, JobFailed, RetryAfter
from jobs.lifecycle import end_many, start_many
from jobs.models import IdempotencyKey, Job, Tally
from jobs.runs import Claim
from jobs.services import ConcurrencyConflict, NewJob, submit_many
from jobs.states import FINAL_STATES
from jobs.steering import JobActive, JobEnded, JobNotEnded, cancel_job, delete_job, retry_job
from jobs.sweep import end_lost, promote_due, take_back_expired
from pirunner.errors import NotFound
from tests.jobs.making import NOON, job_type, register
from webhooks.models import Delivery, Event

pytestmark = pytest.mark.usefixtures("committed_db")

HEAVY = job_type("heavy", attempts=2)
LIGHT = job_type("light", light=True, attempts=3)
LONG = job_type("long", long=True, attempts=1)
KINDS = {kind.name: kind for kind in (HEAVY, LIGHT, LONG)}
WORKERS = {
    name: Claimer(worker=f"{name}@test", instance=f"here/{pid}/1", child_pid=pid + 1)
    for name, pid in (("one", 101), ("two", 201), ("three", 301))
}
FINAL_KINDS = {"job.completed", "job.failed", "job.cancelled"}
KIND_OF_STATE = {
    "completed": "job.completed",
    "failed": "job.failed",
    "cancelled": "job.cancelled",
    "delayed": "job.retrying",
    "waiting": "job.requeued",
}
ERRORS = (JobFailed("not now"), DoNotRetry("never"), RetryAfter(20.0, "later"))


class Lives(RuleBasedStateMachine):
    """Jobs, three workers, a clock, and an owner who cancels, retries and deletes."""

    jobs = Bundle("jobs")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        _empty()
        self.now = NOON
        self._time = patch.object(timezone, "now", lambda: self.now)
        self._time.start()
        self.seen: dict[int, Job] = {}
        self.claimed: Counter[tuple[int, int]] = Counter()
        self.ended_in: Counter[int] = Counter()  # how often each job came to a final state
        self.uncounted: Counter[int] = Counter()  # runs since the last retry that used up no attempt
        self.runs: Counter[int] = Counter()  # all runs since the last retry

    def teardown(self) -> None:
        self._time.stop()

    # -- clients and the owner ------------------------------------------------------------------------------

    @rule(
        target=jobs,
        kind=st.sampled_from(sorted(KINDS)),
        count=st.integers(1, 3),
        key=st.sampled_from(["", "", "k"]),
        on_conflict=st.sampled_from(["queue", "reject", "replace"]),
        called_back=st.booleans(),
        later=st.sampled_from([None, None, None, 5.0]),
        priority=st.sampled_from([1, 5, 5]),
    )
    def submit(
        self,
        *,
        kind: str,
        count: int,
        key: str,
        on_conflict: str,
        called_back: bool,
        later: float | None,
        priority: int,
    ) -> Any:
        wanted = NewJob(
            job_type=KINDS[kind],
            input={},
            owner="client",
            priority=priority,
            concurrency_key=key,
            on_conflict=on_conflict,
            callback_url="http://receiver.test/" if called_back else "",
            due_at=None if later is None else self.now + dt.timedelta(seconds=later),
        )
        busy = bool(key) and Job.objects.open_of_key(key).exists()
        try:
            accepted = submit_many([wanted] * (1 if key else count))
        except ConcurrencyConflict:
            assert busy
            assert on_conflict == "reject"
            return multiple()
        assert not (busy and on_conflict == "reject")
        return multiple(*(int(answer.answer["jobId"]) for answer in accepted))

    @rule(job_id=jobs)
    def cancel(self, job_id: int) -> None:
        before = self.seen.get(job_id)
        if before is None or before.state in {"completed", "failed"}:
            with pytest.raises(NotFound if before is None else JobEnded):
                cancel_job(job_id, by="owner")
            return
        job = cancel_job(job_id, by="owner")
        assert job.state == ("active" if before.state == "active" else "cancelled")

    @rule(job_id=jobs)
    def retry(self, job_id: int) -> None:
        before = self.seen.get(job_id)
        if before is None or before.state not in FINAL_STATES:
            with pytest.raises(NotFound if before is None else JobNotEnded):
                retry_job(job_id, by="owner")
            return
        retry_job(job_id, by="owner")
        self.runs[job_id] = self.uncounted[job_id] = 0

    @rule(job_id=jobs)
    def delete(self, job_id: int) -> None:
        before = self.seen.get(job_id)
        if before is None or before.state == "active":
            with pytest.raises(NotFound if before is None else JobActive):
                delete_job(job_id)
            return
        delete_job(job_id)
        del self.seen[job_id]

    # -- workers --------------------------------------------------------------------------------------------

    @rule(target=claims, name=st.sampled_from(sorted(WORKERS)), kind=st.sampled_from(sorted(KINDS)))
    def claim(self, name: str, kind: str) -> Any:
        claims = start_many(job_type=KINDS[kind], claimer=WORKERS[name])
        for claim in claims:
            self.claimed[claim.job_id, claim.run] += 1
            self.runs[claim.job_id] += 1
        assert kind == "light" or len(claims) <= 1
        return multiple(*claims)

    @rule(name=st.sampled_from(sorted(WORKERS)))
    def renew(self, name: str) -> None:
        claimer = WORKERS[name]
        held = Job.objects.active().filter(instance=claimer.instance)
        count = held.count()
        assert renew_leases(instance=claimer.instance, child_pids=[claimer.child_pid], now=self.now) == count
        assert {job.lease_expires_at for job in held} <= {self.now + LEASE}

    @rule(claim=claims)
    def complete(self, claim: Claim) -> None:
        self._end(claim, completed(claim, {"summary": "done"}, at=self.now))

    @rule(claim=claims, error=st.sampled_from(ERRORS), jitter=st.sampled_from([-1.0, 0.0, 1.0]))
    def fail(self, claim: Claim, error: Exception, jitter: float) -> None:
        self._end(claim, attempt_failed(claim, error, at=self.now, backoff_seconds=4.0, jitter=jitter))

    @rule(claim=claims)
    def give_back(self, claim: Claim) -> None:
        self._end(claim, given_back(claim, at=self.now, reason="The worker was stopped."))

    @rule(claim=claims)
    def notice_cancel(self, claim: Claim) -> None:
        job = self.seen.get(claim.job_id)
        assume(job is not None and job.cancel_requested_at is not None)
        self._end(claim, cancelled(claim, at=self.now, by="owner"))

    @rule(name=st.sampled_from(sorted(WORKERS)), planned=st.booleans())
    def lose_worker(self, name: str, planned: bool) -> None:
        held = list(Job.objects.active().filter(instance=WORKERS[name].instance))
        self._note(end_lost(held, now=self.now, reason="worker lost: it died", planned=planned), held=len(held))

    def _end(self, claim: Claim, ending: Ending) -> None:
        """End one run; a late one must change nothing."""
        job = self.seen.get(claim.job_id)
        holds = job is not None and job.token == claim.token
        self._note(end_many([ending]), held=int(holds))

    def _note(self, effective: list[Ending], *, held: int) -> None:
        assert len(effective) == held
        for ending in effective:
            self.uncounted[ending.claim.job_id] += not ending.counted

    # -- the clock ------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.5, 6.0, 14.0, 15.0, 16.0, 400.0]))
    def wait(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    @rule()
    def take_back(self) -> None:
        expired = [job for job in self.seen.values() if job.state == "active" and job.lease_expires_at < self.now]  # type: ignore[operator]
        together = Counter(job.token for job in self.seen.values() if job.token)
        assert take_back_expired(self.now) == len(expired)
        for job in expired:
            self.uncounted[job.pk] += together[job.token or ""] > 1 or job.cancel_requested_at is not None

    @rule()
    def promote(self) -> None:
        due = [job for job in self.seen.values() if job.state == "delayed" and job.due_at <= self.now]
        assert promote_due(self.now) == len(due)

    # -- what must hold after every turn ----------------------------------------------------------------------

    @invariant()
    def everything_agrees(self) -> None:
        self._rows_agree()
        self._tally_equals_the_rows()
        self._attempts_stay_within_the_limit()
        self._events_tell_the_story_in_order()
        self._each_ending_is_delivered_once()
        self._the_history_has_every_run_once()

    def _rows_agree(self) -> None:
        rows = {job.pk: job for job in Job.objects.all()}
        assert rows.keys() >= self.seen.keys()
        for job in rows.values():
            _check_row(job)
            self._check_move(self.seen.get(job.pk), job)
        keys = Counter(job.concurrency_key for job in rows.values() if job.state == "active" and job.concurrency_key)
        assert set(keys.values()) <= {1}
        assert not self.claimed or max(self.claimed.values()) == 1
        self.seen = rows

    def _tally_equals_the_rows(self) -> None:
        counted = Counter(job.state for job in self.seen.values() if job.state in FINAL_STATES)
        assert {state.value: count for state, count in tally.ended_jobs().items() if count} == dict(counted)

    def _attempts_stay_within_the_limit(self) -> None:
        for job in self.seen.values():
            running = job.state == "active"
            assert job.attempts_made <= job.max_attempts
            assert job.attempts_made == self.runs[job.pk] - self.uncounted[job.pk] - running

    def _events_tell_the_story_in_order(self) -> None:
        stories: dict[int, list[str]] = {}
        for job_id, kind in Event.objects.order_by("seq").values_list("job_id", "kind"):
            stories.setdefault(job_id, []).append(kind)
        for job in self.seen.values():
            story = stories.get(job.pk, [])
            _check_story(job, story)
            assert sum(kind in FINAL_KINDS for kind in story) == self.ended_in[job.pk]

    def _each_ending_is_delivered_once(self) -> None:
        delivered = Counter(Delivery.objects.values_list("job_id", flat=True))
        for job in self.seen.values():
            assert delivered[job.pk] == (self.ended_in[job.pk] if job.callback_url else 0)
        assert Delivery.objects.values("event_id").distinct().count() == sum(delivered.values())

    def _the_history_has_every_run_once(self) -> None:
        statuses = dict(TaskResult.objects.values_list("task_id", "status"))
        for job in self.seen.values():
            for run in range(1, job.run + 1):
                under_way = job.state == "active" and run == job.run
                status = statuses.pop(f"{job.pk}:{run}", None)
                expected = {None if KINDS[job.job_type].light else "STARTED"}
                assert (status in expected) if under_way else (status in {"SUCCESS", "FAILURE", "REVOKED"})
        assert statuses == {}

    def _check_move(self, before: Job | None, after: Job) -> None:
        """Compare a row with itself before the turn: each turn moves a job by one run at most."""
        came_to_end = after.state in FINAL_STATES and (before is None or before.state not in FINAL_STATES)
        self.ended_in[after.pk] += came_to_end
        if before is None:
            assert (after.run, after.state in {"waiting", "delayed"}) == (0, True)
            return
        assert after.run - before.run == int(after.state == "active" and before.token != after.token)
        if before.state in FINAL_STATES:
            # Only a retry leaves a final state.
            assert after.state in {before.state, "waiting"}
            assert after.state == "waiting" or after.finished_at == before.finished_at


def _check_row(job: Job) -> None:
    active = job.state == "active"
    assert (job.token is not None) == active
    assert (job.lease_expires_at is not None) == active
    assert (job.deadline_at is not None) == active
    assert (job.child_pid is not None) == active
    assert (job.finished_at is not None) == (job.state in FINAL_STATES)
    assert (job.queued_at is None) <= (job.state != "waiting")
    assert (job.state == "cancelled") <= (job.cancel_requested_at is not None)


def _check_story(job: Job, story: list[str]) -> None:
    """Check that the events of a job can follow each other, and end where the row stands."""
    for first, then in pairwise(story):
        if first in FINAL_KINDS:
            assert then == "job.requeued"
        if first == "job.started":
            assert then != "job.started"
        if then == "job.started":
            assert first in {"job.requeued", "job.retrying"}
    if job.state in FINAL_STATES:
        assert story[-1] == KIND_OF_STATE[job.state]
    elif job.state == "active" and not KINDS[job.job_type].light:
        assert story[-1] == "job.started"
    elif story:
        assert story[-1] not in FINAL_KINDS


def _empty() -> None:
    with transaction.atomic():
        for rows in (Job, Event, Delivery, TaskResult, IdempotencyKey, Tally):
            rows.objects.all().delete()  # type: ignore[misc]


def test_any_turns_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, *KINDS.values())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # what is tested here is order, not durability
            cursor.execute("SET synchronous_commit = off")

    run_state_machine_as_test(
        Lives,
        settings=hypothesis_settings(
            max_examples=40,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )
