"""The body of a callback: pi-agent-runner's fields, in JavaScript's spelling."""

import json
from typing import Any

import pytest

from jobs.endings import Ending, attempt_failed, cancelled, completed, given_back
from jobs.errors import JobFailed
from jobs.payloads import (
    Payload,
    cancelled_payload,
    ended_payload,
    progress_payload,
    requeued_payload,
    started_payload,
)
from tests.jobs.making import NOON, claim
from webhooks.ecmascript_json import dumps

DONE = completed(claim(), {"summary": "pong", "artifactPath": "/a/b.md", "n": 1.0}, at=NOON)
METADATA = {"requestedBy": "agent-main", "10": 1, "9": 2}


def failure(**fields: Any) -> Ending:
    return attempt_failed(claim(**fields), JobFailed("no price"), at=NOON, backoff_seconds=5, jitter=0)


def body_of(payload: Payload) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(payload.text)
    assert body.pop("eventId") == payload.event_id
    return body


def test_completed() -> None:
    payload = ended_payload(DONE)

    assert payload.kind == "job.completed"
    assert body_of(payload) == {
        "jobId": "41",
        "jobType": "slow",
        "status": "completed",
        "startedAt": "2026-03-01T12:00:00.000Z",
        "finishedAt": "2026-03-01T12:00:00.000Z",
        "summary": "pong",
        "artifactPath": "/a/b.md",
        "data": {"summary": "pong", "artifactPath": "/a/b.md", "n": 1},
    }


def test_completed_without_summary_and_artifact() -> None:
    body = body_of(ended_payload(completed(claim(), {}, at=NOON)))

    assert (body["summary"], body["artifactPath"], body["data"]) == ("", None, {})


def test_failed() -> None:
    payload = ended_payload(failure(attempts_made=2))

    assert payload.kind == "job.failed"
    assert body_of(payload) == {
        "jobId": "41",
        "jobType": "slow",
        "status": "failed",
        "error": "no price",
        "attemptsMade": 3,
    }


def test_retrying_tells_when() -> None:
    payload = ended_payload(failure())

    assert payload.kind == "job.retrying"
    assert body_of(payload)["nextAttemptAt"] == "2026-03-01T12:00:05.000Z"


@pytest.mark.parametrize(
    ("payload", "kind", "more"),
    [
        (
            started_payload(claim()),
            "job.started",
            {"status": "active", "startedAt": "2026-03-01T12:00:00.000Z", "attempt": 1},
        ),
        (
            progress_payload(claim(), percent=40, message="half"),
            "job.progress",
            {"status": "active", "progress": 40, "statusMessage": "half", "attempt": 1},
        ),
        (
            cancelled_payload(claim().subject, by="ana"),
            "job.cancelled",
            {"status": "cancelled", "error": "cancelled by ana"},
        ),
        (
            ended_payload(cancelled(claim(), at=NOON, by="ana")),
            "job.cancelled",
            {"status": "cancelled", "error": "cancelled by ana", "attemptsMade": 0},
        ),
        (requeued_payload(claim().subject, by="ana"), "job.requeued", {"status": "waiting", "retriedBy": "ana"}),
        (
            ended_payload(given_back(claim(), at=NOON, reason="stopped")),
            "job.requeued",
            {
                "status": "waiting",
                "error": "stopped",
                "attemptsMade": 0,
                "nextAttemptAt": "2026-03-01T12:00:00.000Z",
            },
        ),
    ],
)
def test_the_other_events(payload: Payload, kind: str, more: dict[str, Any]) -> None:
    assert payload.kind == kind
    assert body_of(payload) == {"jobId": "41", "jobType": "slow", **more}


def test_metadata_travels_with_every_event() -> None:
    with_metadata = claim(metadata=METADATA)

    payloads = [
        started_payload(with_metadata),
        ended_payload(completed(with_metadata, {}, at=NOON)),
        ended_payload(failure(metadata=METADATA)),
        cancelled_payload(with_metadata.subject, by="ana"),
    ]

    assert [body_of(payload)["metadata"] for payload in payloads] == [METADATA] * 4


def test_every_event_has_an_id_of_its_own_that_can_be_a_header() -> None:
    ids = {ended_payload(DONE).event_id for _ in range(100)}

    assert len(ids) == 100
    assert all(event_id.startswith("evt_") and "." not in event_id for event_id in ids)


def test_the_text_is_what_javascript_would_write() -> None:
    result = {"big": 1e21, "small": 1e-7, "whole": 3.0, "z": "⏰\x00\ud800", "10": "b", "9": "a", "deep": [{"2": 1.50}]}

    text = ended_payload(completed(claim(metadata=METADATA), result, at=NOON)).text

    assert text == dumps(json.loads(text))
    assert '"data":{"9":"a","10":"b","big":1e+21,"small":1e-7,"whole":3,"z":"⏰\\u0000\\ud800"' in text
    assert text.endswith('"metadata":{"9":2,"10":1,"requestedBy":"agent-main"}}')
