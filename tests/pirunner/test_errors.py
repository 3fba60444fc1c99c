"""Everything that goes wrong is JSON of one shape."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from jobs import views
from pirunner.api import as_api_error
from pirunner.errors import (
    ApiError,
    Conflict,
    Fault,
    InvalidJson,
    InvalidPayload,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from tests.parts import TOKEN, Api

# -- what an error says -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ApiError(), 400, "bad_request"),
        (InvalidPayload([]), 400, "invalid_payload"),
        (InvalidJson(), 400, "invalid_json"),
        (Unauthorized(), 401, "unauthorized"),
        (NotFound(), 404, "not_found"),
        (MethodNotAllowed(), 405, "method_not_allowed"),
        (Conflict(), 409, "conflict"),
        (PayloadTooLarge(), 413, "payload_too_large"),
        (UnsupportedMediaType(), 415, "unsupported_media_type"),
        (Unavailable("busy"), 503, "unavailable"),
    ],
)
def test_each_error_has_a_status_and_a_code(error: ApiError, status: int, code: str) -> None:
    assert (error.status, error.code, error.as_dict()["error"]) == (status, code, code)


def test_a_sentence_is_the_details() -> None:
    assert NotFound("There is no job 7.").as_dict() == {"error": "not_found", "details": "There is no job 7."}


def test_without_a_sentence_there_are_no_details() -> None:
    assert NotFound().as_dict() == {"error": "not_found"}


def test_faults_are_the_details_of_a_payload() -> None:
    fault = Fault(("input", 0, "message"), "required", "'message' is missing.")

    assert InvalidPayload([fault]).as_dict()["details"] == [
        {"path": ["input", 0, "message"], "code": "required", "message": "'message' is missing."}
    ]


def test_a_fault_can_be_seen_from_further_up() -> None:
    assert Fault(("message",), "required", "x").below("jobs", 3, "input").path == ("jobs", 3, "input", "message")


def test_unavailable_says_when_to_come_back() -> None:
    assert Unavailable("busy").headers == {"Retry-After": "5"}
    assert Unavailable("busy", retry_after=30).headers == {"Retry-After": "30"}


# -- what becomes of exceptions -----------------------------------------------------------------------------------


def break_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken() -> Any:
        raise error

    monkeypatch.setattr(views, "job_types_document", broken)


def test_a_database_that_does_not_answer_is_a_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    break_with(monkeypatch, OperationalError("database is locked: /home/ana/secret.sqlite3"))

    answer = api.get("/job-types")

    assert (answer.status_code, answer.json()["error"], answer["Retry-After"]) == (503, "unavailable", "5")
    assert b"secret" not in answer.content


def test_a_fault_of_our_own_is_a_500_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    break_with(monkeypatch, KeyError("secret"))
    client = Client(raise_request_exception=False)

    answer = client.get("/job-types", headers={"Authorization": f"Bearer {TOKEN}"})

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    assert answer.json()["error"] == "internal_error"
    assert b"secret" not in answer.content


def test_a_fault_of_our_own_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        as_api_error(KeyError("ours"), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/nothing", "/jobs/1/nothing", "/%00", "/%ff", "/" + "x" * 3000])
def test_an_unknown_place_is_json(api: Api, path: str) -> None:
    answer = api.get(path)

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert len(answer.content) < 500


def test_a_host_that_is_not_served_is_json(owner: Any) -> None:
    owner.ALLOWED_HOSTS = ["pi.example"]

    answer = Client(raise_request_exception=False).get("/job-types", headers={"Host": "evil.example"})

    assert answer.status_code in {400, 401}
    assert answer["Content-Type"] == "application/json"
