"""Jobs in every state, for tests: rows as the program would write them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from jobs import catalog, tally
from jobs.claims import Claimer
from jobs.contract import JobType
from jobs.lifecycle import start_many
from jobs.models import Job
from jobs.ranking import rank_of
from jobs.runs import Claim
from jobs.services import NewJob, submit_many
from jobs.states import State

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORKER = "worker@test"
INSTANCE = "here/4241/1"
CLAIMER = Claimer(worker=WORKER, instance=INSTANCE, child_pid=4242)


def job_type(
    name: str = "slow", run: Callable[[Any, Any], Mapping[str, Any]] = lambda _ctx, _input: {}, **fields: Any
) -> JobType:
    """Return a job type that takes anything; heavy unless said otherwise."""
    return JobType(name=name, description="For a test.", input_model=Any, run=run, **fields)


def known_type(name: str) -> JobType:
    """Return a built-in job type."""
    return catalog.registered()[name]


PING = known_type("ping")
SLOW = job_type()


def submit(kind: JobType = PING, **fields: Any) -> Job:
    """Submit a job and return its row."""
    (accepted,) = submit_many([NewJob(job_type=kind, **{"input": {}, "owner": "bootstrap", **fields})])
    return Job.objects.get(pk=accepted.answer["jobId"])


def waiting(kind: JobType = SLOW, *, since: datetime | None = None, priority: int = 5, **fields: Any) -> Job:
    """Write a waiting row, without the ring."""
    queued_at = since or timezone.now()
    row = {
        "job_type": kind.name,
        "queue": kind.queue,
        "state": "waiting",
        "priority": priority,
        "rank": rank_of(priority, queued_at),
        "input": {},
        "backend": "celery",
        "owner": "bootstrap",
        "created_at": queued_at,
        "due_at": queued_at,
        "queued_at": queued_at,
        "max_attempts": kind.attempts,
    }
    return Job.objects.create(**{**row, **fields})


def delayed(kind: JobType = SLOW, *, due_at: datetime, **fields: Any) -> Job:
    """Write a row that is due later."""
    ranked = rank_of(fields.get("priority", 5), due_at)
    return waiting(kind, **{"state": "delayed", "due_at": due_at, "queued_at": None, "rank": ranked, **fields})


def active(kind: JobType = SLOW, **fields: Any) -> Job:
    """Write a row that a worker holds."""
    now = timezone.now()
    row = {
        "state": "active",
        "run": 1,
        "token": "t" * 32,
        "lease_expires_at": now + timedelta(seconds=15),
        "deadline_at": now + timedelta(seconds=300),
        "started_at": now,
        "worker": WORKER,
        "instance": INSTANCE,
        "child_pid": CLAIMER.child_pid,
    }
    return waiting(kind, **{**row, **fields})


def start(kind: JobType = SLOW, **fields: Any) -> Claim:
    """Write a waiting row and claim it."""
    waiting(kind, **fields)
    (claim,) = start_many(job_type=kind, claimer=CLAIMER)
    return claim


def claim(**fields: Any) -> Claim:
    """Return a claim that no row stands behind."""
    usual = {
        "job_id": 41,
        "token": "t" * 32,
        "run": 3,
        "job_type": "slow",
        "priority": 5,
        "input": {},
        "metadata": None,
        "callback_url": "",
        "concurrency_key": "",
        "attempts_made": 0,
        "max_attempts": 3,
        "started_at": NOON,
        "worker": WORKER,
    }
    return Claim(**{**usual, **fields})


def register(monkeypatch: Any, *kinds: JobType) -> None:
    """Let these job types exist for one test, beside those built in."""
    monkeypatch.setattr(catalog, "JOB_TYPES", (*catalog.JOB_TYPES, *kinds))


def ended(state: str = "completed", kind: JobType = SLOW, *, at: datetime | None = None, **fields: Any) -> Job:
    """Write a row that has ended, and count it in the tally."""
    finished_at = at or timezone.now()
    job = waiting(kind, **{"state": state, "since": finished_at, "finished_at": finished_at, **fields})
    tally.record({State(state): 1})
    return job
