"""The digest: little to read, and what to do next."""

from typing import Any

import pytest
from django.utils import timezone

from jobs.digest import Account, digest_of, next_step
from jobs.models import LogLine
from jobs.states import State
from tests.jobs.making import active, ended
from tests.parts import Api


def account(**fields: Any) -> Account:
    usual = {
        "job_id": "41",
        "state": State.COMPLETED,
        "progress": 0,
        "status_message": "",
        "summary": "",
        "error": "",
        "error_class": "",
        "attempts_made": 0,
        "max_attempts": 3,
        "due": "2026-03-10T13:30:00.000Z",
        "cancel_requested": False,
        "lines": [],
        "links": [],
    }
    return Account(**{**usual, **fields})


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"state": State.DELAYED}, "It begins at 2026-03-10T13:30:00.000Z"),
        ({"state": State.DELAYED, "attempts_made": 1}, "Attempt 1 of 3 failed, the next begins at 2026-03-10"),
        ({"state": State.WAITING}, "It waits for a free worker; GET /jobs/41?wait=50 answers"),
        ({"state": State.ACTIVE, "progress": 40}, "It is running (40 %); GET /jobs/41?wait=50 answers"),
        ({"state": State.ACTIVE, "cancel_requested": True}, "It is being cancelled"),
        ({"state": State.COMPLETED}, "It is done: read returnvalue."),
        ({"state": State.COMPLETED, "links": ["/artifacts/1"]}, "It is done: read returnvalue, and GET the artifacts"),
        (
            {"state": State.FAILED, "error_class": "JobFailed"},
            "Read failedReason, mend the cause, and POST /jobs/41/retry",
        ),
        ({"state": State.FAILED, "error_class": "DoNotRetry"}, "It would fail again as it is"),
        ({"state": State.CANCELLED}, "It was cancelled and will not run, unless you POST /jobs/41/retry"),
    ],
)
def test_every_state_has_its_next_step(fields: dict[str, Any], sentence: str):
    step = next_step(account(**fields))

    assert step.startswith(sentence)
    assert step.endswith(".")


def test_the_summary_is_capped():
    digest = digest_of(account(summary="x" * 1000))

    assert len(digest["summary"]) == 300
    assert digest["summary"].endswith("x…")


@pytest.mark.parametrize(
    ("fields", "summary"),
    [
        ({"summary": "done", "error": "e"}, "done"),
        ({"error": "no price"}, "no price"),
        ({"status_message": "reading feeds"}, "reading feeds"),
        ({}, None),
    ],
)
def test_without_a_summary_the_failure_or_the_status_tells(fields: dict[str, Any], summary: str | None):
    assert digest_of(account(**fields))["summary"] == summary


def test_of_the_log_there_are_the_last_five_lines_capped():
    digest = digest_of(account(lines=[f"info: {n}" for n in range(9)] + ["x" * 1000]))

    assert digest["lastLog"][:4] == ["info: 5", "info: 6", "info: 7", "info: 8"]
    assert len(digest["lastLog"][4]) == 200


def test_the_largest_digest_is_small():
    digest = digest_of(account(summary="x" * 9999, lines=["y" * 9999] * 99, links=["/artifacts/123456"] * 99))

    assert len(str(digest)) < 2000


@pytest.mark.django_db
def test_a_job_is_read_with_its_digest(api: Api):
    job = ended("failed", error="no price", error_class="JobFailed")
    for n in range(7):
        LogLine.objects.create(job=job, run=1, at=timezone.now(), level="info", message=f"line {n}")
    LogLine.objects.create(job=active(), run=1, at=timezone.now(), level="info", message="of another job")

    digest = api.get(f"/jobs/{job.pk}").json()["digest"]

    assert digest == {
        "summary": "no price",
        "errorClass": "JobFailed",
        "lastLog": [f"info: line {n}" for n in range(2, 7)],
        "artifacts": [],
        "next": f"Read failedReason, mend the cause, and POST /jobs/{job.pk}/retry.",
    }


@pytest.mark.django_db
def test_lists_are_without_digests(api: Api):
    ended()

    assert "digest" not in api.get("/jobs").json()[0]
