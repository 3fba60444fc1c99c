"""Who is let in with a token, and what the others are told."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pirunner.access import WRONG_A_MINUTE
from pirunner.callers import Scope
from pirunner.tokens.issuing import revoke_token, rotate_token
from pirunner.tokens.models import Token
from pirunner.tokens.register import register
from pirunner.tokens.text import new_text
from tests.parts import TOKEN, Api, wait_for
from tests.pirunner.tokens.making import token

pytestmark = pytest.mark.usefixtures("committed_db")
PLACE = "/job-types"


@pytest.fixture(autouse=True)
def few_types(settings: Any) -> None:
    settings.RUNNER_JOBS = ("ping", "reminder")


def test_a_token_is_let_in(api: Api) -> None:
    assert api.get(PLACE, **token()).status_code == 200


def test_its_text_is_kept_nowhere() -> None:
    text = token()["Authorization"].removeprefix("Bearer ")
    row = Token.objects.values().get()

    assert not any(text in str(value) for value in row.values())
    assert text[5:30] not in str(row)


def test_an_unknown_one_is_not(api: Api) -> None:
    answer = api.get(PLACE, Authorization=f"Bearer {new_text()}")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert "no such token" in answer.json()["details"]


def test_a_revoked_one_is_told_so_at_once(api: Api) -> None:
    header = token()
    assert api.get(PLACE, **header).status_code == 200

    revoke_token("agent", by="ana")

    answer = api.get(PLACE, **header)
    assert answer.status_code == 401
    assert "'agent' was revoked on" in answer.json()["details"]


def test_one_that_another_process_revokes_is_let_in_for_seconds_only(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    header = token()
    assert api.get(PLACE, **header).status_code == 200
    Token.objects.update(revoked_at=timezone.now(), revoked_by="elsewhere")
    assert api.get(PLACE, **header).status_code == 200

    monkeypatch.setattr("pirunner.tokens.register.FRESH_SECONDS", 0.0)

    assert api.get(PLACE, **header).status_code == 401


def test_an_expired_one_is_told_so(api: Api) -> None:
    header = token(expires_at=timezone.now() + timedelta(hours=1))
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    answer = api.get(PLACE, **header)

    assert answer.status_code == 401
    assert "'agent' expired on" in answer.json()["details"]


def test_after_a_rotation_only_the_new_text_is_let_in(api: Api) -> None:
    old = token()

    _, text = rotate_token("agent")

    assert api.get(PLACE, **old).status_code == 401
    assert api.get(PLACE, Authorization=f"Bearer {text}").status_code == 200


def test_with_a_grace_both_are_until_it_is_over(api: Api) -> None:
    old = token()
    _, text = rotate_token("agent", grace=timedelta(hours=1))
    assert api.get(PLACE, **old).status_code == 200
    assert api.get(PLACE, Authorization=f"Bearer {text}").status_code == 200

    Token.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    register.forget()

    assert api.get(PLACE, **old).status_code == 401
    assert api.get(PLACE, Authorization=f"Bearer {text}").status_code == 200


def test_what_it_makes_is_its_own(api: Api) -> None:
    header = token(label="agent-7")

    made = api.post("/jobs", {"jobType": "ping"}, **header).json()

    from jobs.models import Job

    assert Job.objects.get(pk=made["jobId"]).owner == "agent-7"


def test_the_database_is_asked_once_in_a_while(api: Api) -> None:
    header = token()
    api.get(PLACE, **header)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        for _ in range(5):
            api.get(PLACE, **header)

    assert not asked.captured_queries


def test_the_bootstrap_token_needs_no_database(api: Api) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert api.get(PLACE).status_code == 200

    assert not asked.captured_queries


def test_its_last_use_is_written_down_once_a_minute(api: Api) -> None:
    header = token()
    api.get(PLACE, **header)
    wait_for(lambda: Token.objects.get().last_used_at)
    Token.objects.update(last_used_at=None)

    api.get(PLACE, **header)
    other = token(label="other")
    api.get(PLACE, **other)
    wait_for(lambda: Token.objects.get(label="other").last_used_at)  # written after whatever the first one caused

    assert Token.objects.get(label="agent").last_used_at is None


def test_wrong_tokens_of_an_address_are_throttled_and_right_ones_pass(api: Api) -> None:
    right = token()
    for _ in range(WRONG_A_MINUTE):
        assert api.get(PLACE, Authorization="Bearer wrong").status_code == 401

    answer = api.get(PLACE, Authorization="Bearer wrong")

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert answer.json()["error"] == "rate_limited"
    assert api.get(PLACE, **right).status_code == 200
    assert api.get(PLACE, Authorization=f"Bearer {TOKEN}").status_code == 200


def test_a_request_without_a_token_is_not_counted_as_a_guess(api: Api) -> None:
    for _ in range(WRONG_A_MINUTE + 1):
        assert api.get(PLACE, Authorization="").status_code == 401


def test_a_token_keeps_its_pace(api: Api) -> None:
    slow, other = token(requests_per_minute=2), token(label="other")
    assert [api.get(PLACE, **slow).status_code for _ in range(3)] == [200, 200, 429]

    answer = api.get(PLACE, **slow)

    assert 1 <= int(answer["Retry-After"]) <= 30
    assert "2 requests a minute" in answer.json()["details"]
    assert api.get(PLACE, **other).status_code == 200


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope not in {Scope.JOBS_READ, Scope.ADMIN}])
def test_a_missing_scope_is_named_with_those_that_are_there(api: Api, scope: Scope) -> None:
    answer = api.get("/jobs", **token(scope))

    assert answer.status_code == 403
    assert answer.json() == {
        "error": "forbidden",
        "details": f"This call needs the scope 'jobs:read'; the token 'agent' has '{scope.value}'.",
    }


@pytest.mark.parametrize(
    ("scope", "body", "status"),
    [
        (Scope.JOBS_WRITE, {"jobType": "ping"}, 202),
        (Scope.JOBS_WRITE, {"jobType": "ping", "schedule": {"everySeconds": 60}}, 403),
        (Scope.SCHEDULES_WRITE, {"jobType": "ping", "schedule": {"everySeconds": 60}}, 202),
        (Scope.SCHEDULES_WRITE, {"jobType": "ping"}, 403),
        (Scope.ADMIN, {"jobType": "ping"}, 202),
    ],
)
def test_a_submission_needs_the_scope_of_what_it_makes(api: Api, scope: Scope, body: Any, status: int) -> None:
    header = token(scope)

    assert api.post("/jobs", body, **header).status_code == status
    (item,) = api.post("/jobs/batch", [body], **header).json()
    assert item.get("error", "taken") == ("forbidden" if status == 403 else "taken")


def test_other_job_types_are_refused_and_the_allowed_ones_named(api: Api) -> None:
    header = token(job_types=["reminder"])
    hourly = {"jobType": "ping", "schedule": {"everySeconds": 3600}}

    for answer in (
        api.post("/jobs", {"jobType": "ping"}, **header),
        api.post("/jobs", hourly, **header),
        api.put("/schedules/hourly", hourly, **header),
    ):
        assert answer.status_code == 403
        assert answer.json()["details"].endswith("run: reminder.")
    assert [each["name"] for each in api.get("/job-types", **header).json()["jobTypes"]] == ["reminder"]
    assert api.post("/jobs", {"jobType": "reminder", "input": {"message": "x"}}, **header).status_code == 202


def test_somebody_elses_schedule_of_another_type_is_neither_run_nor_edited(api: Api) -> None:
    made = api.post("/jobs", {"jobType": "ping", "schedule": {"everySeconds": 3600}}).json()["jobId"]
    header = token(job_types=["reminder"])

    assert api.post(f"/schedules/{made}/run", **header).status_code == 403
    assert api.patch(f"/jobs/{made}", {"action": "pause"}, **header).status_code == 403


def test_a_schedule_of_an_allowed_type_cannot_be_given_another_one(api: Api) -> None:
    header = token(job_types=["reminder"])
    hourly = {"jobType": "reminder", "input": {"message": "x"}, "schedule": {"everySeconds": 3600}}
    made = api.post("/jobs", hourly, **header).json()["jobId"]

    answer = api.patch(f"/jobs/{made}", {"jobType": "ping", "input": {}}, **header)

    assert answer.status_code == 403
    assert answer.json()["details"].endswith("run: reminder.")
    assert api.get(f"/jobs/{made}").json()["name"] == "reminder"


def test_a_reminder_is_not_snoozed_by_who_may_not_submit_one(api: Api) -> None:
    made = api.post(
        "/jobs", {"jobType": "reminder", "input": {"message": "x"}, "schedule": {"runAt": "2099-01-01T00:00Z"}}
    )
    header = token(job_types=["ping"])

    answer = api.patch(f"/jobs/{made.json()['jobId']}", {"action": "snooze", "seconds": 60}, **header)

    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")


def test_only_admin_makes_again_what_a_person_deleted(api: Api) -> None:
    from schedules.models import Schedule
    from schedules.services import delete_schedule

    hourly = {"jobType": "ping", "schedule": {"everySeconds": 3600}}
    api.put("/schedules/hourly", hourly)
    delete_schedule(Schedule.objects.get().pk, by="ana", in_person=True)
    writer, ruler = token(Scope.SCHEDULES_WRITE), token(Scope.ADMIN, label="ruler")

    assert api.put("/schedules/hourly", hourly, **writer).json()["error"] == "tombstoned"
    refused = api.put("/schedules/hourly?restore=true", hourly, **writer)
    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
    assert api.put("/schedules/hourly?restore=true", hourly, **ruler).status_code == 201


def test_a_schedule_of_another_type_is_not_replaced(api: Api) -> None:
    header = token(Scope.SCHEDULES_WRITE, job_types=["reminder"])
    hourly = {"everySeconds": 3600}
    api.put("/schedules/kept", {"jobType": "ping", "schedule": hourly})

    refused = api.put(
        "/schedules/kept", {"jobType": "reminder", "input": {"message": "Tea"}, "schedule": hourly}, **header
    )

    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
    assert api.get("/schedules/kept").json()["name"] == "ping"
