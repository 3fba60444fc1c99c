"""The allowlist, and what is told about it."""

from datetime import datetime
from typing import Any

import msgspec
import pytest
from django.core.exceptions import ImproperlyConfigured
from jsonschema import Draft202012Validator

from jobs import catalog, checks
from jobs.contract import JobType


class Tree(msgspec.Struct):
    name: str
    branches: "list[Tree]" = []


def type_with(input_model: Any) -> JobType:
    return JobType(name="t", description="", input_model=input_model, run=lambda _ctx, _input: {})


def test_the_old_types_are_there() -> None:
    assert set(catalog.registered()) >= {"ping", "reminder", "daily-crypto-brief"}


def test_every_type_may_run_when_nothing_is_said(settings: Any) -> None:
    settings.RUNNER_JOBS = ()

    assert catalog.allowed() == catalog.registered()


def test_runner_jobs_narrows_what_may_run(settings: Any) -> None:
    settings.RUNNER_JOBS = ("ping",)

    assert list(catalog.allowed()) == ["ping"]
    assert catalog.find("reminder") is None


def test_a_type_is_found_by_its_name() -> None:
    found = catalog.find("ping")

    assert found is not None
    assert found.name == "ping"


@pytest.mark.parametrize("name", ["", "PING", "os.system", "../ping", "jobs.handlers.ping"])
def test_other_names_find_nothing(name: str) -> None:
    assert catalog.find(name) is None


def test_an_unknown_name_in_runner_jobs_is_refused(settings: Any) -> None:
    settings.RUNNER_JOBS = ("ping", "pong")

    with pytest.raises(ImproperlyConfigured, match="pong"):
        catalog.allowed()


def test_an_unknown_name_in_runner_jobs_is_found_at_start_up(settings: Any) -> None:
    settings.RUNNER_JOBS = ("ping", "pong")

    (error,) = checks.check_runner_jobs()

    assert error.id == "jobs.E001"
    assert "pong" in error.msg
    assert "reminder" in str(error.hint)


def test_known_names_in_runner_jobs_pass_the_check(settings: Any) -> None:
    settings.RUNNER_JOBS = ("ping",)

    assert checks.check_runner_jobs() == []


def test_the_document_tells_name_schema_and_limits() -> None:
    documents = {document["name"]: document for document in catalog.job_types_document()}

    reminder = documents["reminder"]
    assert reminder["inputSchema"]["required"] == ["message"]
    assert reminder["inputSchema"]["properties"]["title"]["default"] == "Reminder"
    assert reminder["limits"] == {
        "attempts": 3,
        "backoffSeconds": 5.0,
        "timeLimitSeconds": 300.0,
        "light": True,
    }


@pytest.mark.parametrize("name", sorted(catalog.registered()))
def test_every_schema_is_valid_and_complete_in_itself(name: str) -> None:
    schema = catalog.input_schema(catalog.registered()[name])

    Draft202012Validator.check_schema(schema)
    assert "$ref" not in msgspec.json.encode(schema).decode()


def test_a_schema_that_refers_to_itself_keeps_its_definitions() -> None:
    schema = catalog.input_schema(type_with(Tree))

    assert schema["type"] == "object"
    assert Draft202012Validator(schema).is_valid({"name": "a", "branches": [{"name": "b"}]})
    assert not Draft202012Validator(schema).is_valid({"name": "a", "branches": [{}]})


def test_a_valid_input_is_returned_as_its_model() -> None:
    assert catalog.validate_input(type_with(Tree), {"name": "a"}) == (Tree("a"), [])


def test_every_fault_of_an_input_is_returned() -> None:
    job_input, faults = catalog.validate_input(type_with(Tree), {"branches": [{}, {"name": 1}]})

    assert job_input is None
    assert {(fault.path, fault.code) for fault in faults} == {
        (("name",), "required"),
        (("branches", 0, "name"), "required"),
        (("branches", 1, "name"), "invalid_type"),
    }


def test_a_fault_that_the_schema_cannot_express_is_reported_all_the_same() -> None:
    _, faults = catalog.validate_input(type_with(datetime), "2025-11-22T10:00:00+99:00")

    assert [(fault.path, fault.code) for fault in faults] == [((), "invalid_value")]
