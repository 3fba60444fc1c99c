"""``POST /jobs``: what is accepted, and what is kept of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from jobs import intake as intake_module
from jobs import views
from jobs.models import IdempotencyKey, Job
from pirunner.doorbell import Ring
from tests.parts import Api, at_once

pytestmark = pytest.mark.usefixtures("committed_db")

PING = {"jobType": "ping"}


def submit(api: Api, body: Any, **headers: str) -> dict[str, Any]:
    answer = api.post("/jobs", body, **headers)
    assert answer.status_code == 202, answer.content
    taken: dict[str, Any] = json.loads(answer.content)
    return taken


def the_job() -> Job:
    return Job.objects.get()


# -- the answer ---------------------------------------------------------------------------------------------------


def test_the_smallest_submission(api: Api, rings: list[Ring]) -> None:
    taken = submit(api, PING)

    job = the_job()
    assert taken == {"jobId": str(job.pk), "status": "queued", "backend": "celery", "scheduled": False}
    assert (job.job_type, job.state, job.priority, job.backend) == ("ping", "waiting", 5, "celery")
    assert (job.input, job.metadata, job.schedule, job.callback_url) == ({}, None, None, "")
    assert job.owner == "bootstrap"
    assert [ring.row_id for ring in rings] == [job.pk]


def test_every_field_is_kept(api: Api) -> None:
    body = {
        "jobType": "reminder",
        "input": {"message": "bins", "n": 1},
        "priority": 1,
        "callbackUrl": "https://1.1.1.1/hook?a=b",
        "metadata": {"requestedBy": "agent-main"},
        "scheduleBackend": "bullmq",
        "concurrencyKey": "briefs",
        "schedule": {"tz": "Asia/Kolkata"},
    }

    taken = submit(api, body)

    job = the_job()
    assert taken["backend"] == job.backend == "bullmq"
    assert (job.job_type, job.priority, job.concurrency_key) == ("reminder", 1, "briefs")
    assert (job.input, job.metadata) == (body["input"], body["metadata"])
    assert (job.callback_url, job.schedule) == (body["callbackUrl"], body["schedule"])
    assert job.max_attempts == 3


@pytest.mark.parametrize("empty", [None, {}])
def test_an_empty_schedule_means_now(api: Api, empty: Any) -> None:
    assert submit(api, {**PING, "schedule": empty})["scheduled"] is False
    assert the_job().state == "waiting"


@pytest.mark.parametrize("field", ["input", "callbackUrl", "metadata", "idempotencyKey", "concurrencyKey", "schedule"])
def test_null_means_left_out(api: Api, field: str) -> None:
    submit(api, {**PING, field: None})

    assert the_job().input == {}


@pytest.mark.parametrize("value", [0, False, "text", [], [1, {"a": None}], {"a": {"b": []}}, 1.5, 2**64, "a\x00b"])
def test_any_input_of_ping_is_kept_as_it_is(api: Api, value: Any) -> None:
    submit(api, {**PING, "input": value})

    assert the_job().input == value


def test_the_order_of_keys_and_the_spelling_of_text_are_kept(api: Api) -> None:
    submit(api, b'{"jobType":"ping","input":{"b":1,"a":"\\u00e9\\u0000","__proto__":2,"1":3}}')

    assert json.dumps(the_job().input) == '{"b": 1, "a": "\\u00e9\\u0000", "__proto__": 2, "1": 3}'


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_may_be_declared_in_any_spelling(api: Api, content_type: str) -> None:
    submit(api, PING, Content_Type=content_type)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense"])
def test_the_answer_is_json_whatever_is_accepted(api: Api, accept: str) -> None:
    assert api.post("/jobs", PING, Accept=accept)["Content-Type"] == "application/json"


# -- warnings -----------------------------------------------------------------------------------------------------


def test_unknown_fields_are_named_in_warnings(api: Api) -> None:
    taken = submit(api, {**PING, "jobtype": "x", "delay\x00\ud83d\ude00": 5})

    assert taken["warnings"] == ["Unknown field 'jobtype' is ignored.", "Unknown field 'delay\\x00😀' is ignored."]


def test_unknown_fields_of_the_input_are_named_where_the_type_says_what_it_takes(api: Api) -> None:
    reminder = api.post("/jobs", {"jobType": "reminder", "input": {"message": "Tea", "titel": "Kitchen"}}).json()
    ping = api.post("/jobs", {"jobType": "ping", "input": {"titel": "Kitchen"}}).json()

    assert reminder["warnings"] == ["Unknown field 'input.titel' is ignored."]
    assert "warnings" not in ping


def test_a_callback_host_without_address_is_a_warning(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def unresolvable(*_: Any, **__: Any) -> Any:
        raise OSError("Name or service not known")

    monkeypatch.setattr("webhooks.services.check_url.__kwdefaults__", {"resolver": unresolvable, "timeout": None})

    (warning,) = submit(api, {**PING, "callbackUrl": "https://nobody.test/hook"})["warnings"]

    assert warning.startswith("callbackUrl: ")
    assert the_job().callback_url == "https://nobody.test/hook"


# -- later --------------------------------------------------------------------------------------------------------


def run_at(moment: datetime) -> dict[str, Any]:
    return {**PING, "schedule": {"runAt": moment.isoformat()}}


def test_a_job_for_later(api: Api, rings: list[Ring]) -> None:
    moment = timezone.now().replace(microsecond=0) + timedelta(hours=1)

    assert submit(api, run_at(moment))["scheduled"] is True

    assert (the_job().state, the_job().due_at, the_job().queued_at) == ("delayed", moment, None)
    assert the_job().schedule == {"runAt": moment.isoformat()}
    assert rings == []


@pytest.mark.parametrize(
    ("schedule", "due_at"),
    [
        ({"runAt": "2090-03-10T13:30:00+05:30"}, "2090-03-10T08:00:00"),
        ({"runAt": "2090-03-10T08:00:00Z"}, "2090-03-10T08:00:00"),
        ({"runAt": "2090-03-10T13:30:00", "tz": "Asia/Kolkata"}, "2090-03-10T08:00:00"),
        ({"runAt": "2090-03-10T13:30:00"}, "2090-03-10T13:30:00"),
        ({"runAt": "9999-12-31T23:59:59Z"}, "9999-12-31T23:59:59"),
    ],
)
def test_run_at_is_read_in_its_offset_or_in_tz(api: Api, schedule: dict[str, str], due_at: str) -> None:
    submit(api, {**PING, "schedule": schedule, "priority": 10})

    assert the_job().due_at == datetime.fromisoformat(due_at).replace(tzinfo=UTC)


# -- idempotency --------------------------------------------------------------------------------------------------


def test_a_repetition_is_answered_as_the_first_time(api: Api) -> None:
    first = submit(api, PING, Idempotency_Key="k")

    again = api.post("/jobs", PING, Idempotency_Key="k")

    assert (again.status_code, json.loads(again.content)) == (200, {**first, "deduplicated": True})
    assert Job.objects.count() == 1


def test_the_key_may_be_in_the_body(api: Api) -> None:
    body = {**PING, "idempotencyKey": "client-key-1"}
    submit(api, body)

    assert api.post("/jobs", body).status_code == 200
    assert IdempotencyKey.objects.get().key == "client-key-1"


def test_the_header_comes_before_the_body(api: Api) -> None:
    submit(api, {**PING, "idempotencyKey": "client-key-1"}, Idempotency_Key="header")

    assert IdempotencyKey.objects.get().key == "header"


def test_the_order_of_keys_makes_no_other_body(api: Api) -> None:
    submit(api, b'{"jobType":"ping","input":{"a":1,"b":2}}', Idempotency_Key="k")

    again = api.post("/jobs", b'{ "input": {"b":2, "a":1}, "jobType": "ping" }', Idempotency_Key="k")

    assert again.status_code == 200


def test_another_body_under_the_same_key_is_refused(api: Api) -> None:
    submit(api, PING, Idempotency_Key="k")

    refused = api.post("/jobs", {**PING, "priority": 1}, Idempotency_Key="k")

    assert (refused.status_code, json.loads(refused.content)["error"]) == (422, "idempotency_mismatch")
    assert Job.objects.count() == 1


def test_a_known_key_is_answered_before_time_is_looked_at(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {**PING, "schedule": {"runAt": (timezone.now() + timedelta(seconds=60)).isoformat()}}
    submit(api, body, Idempotency_Key="k")
    monkeypatch.setattr("jobs.submissions.timezone.now", lambda: datetime(2090, 1, 1, tzinfo=UTC))
    IdempotencyKey.objects.update(expires_at=datetime(2091, 1, 1, tzinfo=UTC))

    assert api.post("/jobs", body, Idempotency_Key="k").status_code == 200


@pytest.mark.parametrize("key", ["k", "k" * 255, "with space and ünïcode"])
def test_a_header_key_of_any_length_up_to_255(api: Api, key: str) -> None:
    submit(api, PING, Idempotency_Key=key)

    assert api.post("/jobs", PING, Idempotency_Key=key).status_code == 200


def test_several_clients_with_one_key_at_the_same_instant(api: Api) -> None:
    outcomes: list[Any] = at_once([lambda: api.post("/jobs", PING, Idempotency_Key="k")] * 6)

    assert sorted(answer.status_code for answer in outcomes) == [200] * 5 + [202]
    assert {json.loads(answer.content)["jobId"] for answer in outcomes} == {str(the_job().pk)}


# -- concurrency keys ---------------------------------------------------------------------------------------------


def test_a_job_that_is_not_wanted_beside_another_is_a_conflict(api: Api) -> None:
    body = {**PING, "concurrencyKey": "briefs", "onConflict": "reject"}
    submit(api, body)

    refused = api.post("/jobs", body)

    assert (refused.status_code, json.loads(refused.content)["error"]) == (409, "concurrency_conflict")
    assert Job.objects.count() == 1


# -- a database that does not answer ------------------------------------------------------------------------------


def test_a_locked_database_is_no_acceptance(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(_new_jobs: Any) -> Any:
        raise OperationalError("database is locked")

    monkeypatch.setattr(intake_module, "submit_many", locked)
    monkeypatch.setattr(views, "intake", intake_module.Intake())

    refused = api.post("/jobs", PING)

    assert (refused.status_code, json.loads(refused.content)["error"]) == (503, "unavailable")
    assert refused["Retry-After"] == "5"
    assert Job.objects.count() == 0
