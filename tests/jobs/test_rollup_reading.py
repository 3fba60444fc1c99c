"""What the rollup reads in an event, from payloads as the program writes them."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.endings import attempt_failed, cancelled, completed, given_back, worker_lost
from jobs.errors import DoNotRetry
from jobs.payloads import Payload, cancelled_payload, ended_payload, progress_payload, requeued_payload, started_payload
from jobs.rollup_reading import HEAD, Told, read_event
from jobs.states import State
from tests.jobs.making import NOON, claim

END = NOON + timedelta(seconds=90)
ONE = claim(job_type='odd "type"')
LOST = "worker lost: its process ended while the job ran"


def failed(error: Exception, **fields: Any) -> Payload:
    return ended_payload(attempt_failed(claim(**fields), error, at=END, backoff_seconds=5, jitter=0))


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (
            ended_payload(completed(ONE, {"summary": "x" * 500, "long": "y" * 5000}, at=END)),
            Told(job_type='odd "type"', state=State.COMPLETED, seconds=90.0),
        ),
        (failed(DoNotRetry('no "never"' * 300)), Told(job_type="slow", state=State.FAILED, had_run=True)),
        (failed(ValueError("x"), attempts_made=2), Told(job_type="slow", state=State.FAILED, had_run=True)),
        (failed(ValueError("x")), Told(job_type="slow", had_run=True, retried=True)),
        (failed(ValueError(LOST)), Told(job_type="slow", had_run=True, retried=True)),
        (
            ended_payload(worker_lost(claim(), at=END, reason=LOST)),
            Told(job_type="slow", had_run=True, taken_back=True),
        ),
        (
            ended_payload(worker_lost(claim(attempts_made=2), at=END, reason=LOST)),
            Told(job_type="slow", state=State.FAILED, had_run=True, taken_back=True),
        ),
        (
            ended_payload(cancelled(claim(), at=END, by='ana","attemptsMade":')),
            Told(job_type="slow", state=State.CANCELLED, had_run=True),
        ),
        (
            cancelled_payload(claim().subject, by='ana","attemptsMade":'),
            Told(job_type="slow", state=State.CANCELLED),
        ),
        (ended_payload(given_back(claim(), at=END, reason="The worker was stopped.")), None),
        (started_payload(claim()), None),
        (progress_payload(claim(), percent=5, message=LOST), None),
        (requeued_payload(claim().subject, by="ana"), None),
        (Payload("schedule.missed", "evt_1", '{"scheduleId":"cel-1","count":7}'), None),
    ],
)
def test_an_event_is_read_from_how_it_begins(payload: Payload, told: Told | None):
    assert read_event(payload.kind, payload.text[:HEAD]) == told
