"""The job type ``reminder``."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobs import catalog
from jobs.handlers import reminder
from tests.jobs.tiny_context import TinyContext


def remind(tmp_path: Path, value: Any) -> dict[str, Any]:
    job_input, faults = catalog.validate_input(reminder.JOB_TYPE, value)
    assert faults == []
    return reminder.run(TinyContext(tmp_path), job_input)


def test_a_message_alone_is_enough(tmp_path: Path) -> None:
    result = remind(tmp_path, {"message": "Take out the bins."})

    assert result["summary"] == "⏰ Reminder: Take out the bins."
    assert result["reminder"]["recipient"] == "agent-main"
    assert result["context"] == {"jobId": "41", "attempt": 2}


def test_title_and_recipient_are_taken_over(tmp_path: Path) -> None:
    result = remind(tmp_path, {"message": "Čaj", "title": "Home", "recipient": "ana"})

    assert result["summary"] == "⏰ Home: Čaj"
    reminder_sent = result["reminder"]
    assert (reminder_sent["title"], reminder_sent["message"], reminder_sent["recipient"]) == ("Home", "Čaj", "ana")


def test_sent_at_is_now_in_the_form_of_to_iso_string(tmp_path: Path) -> None:
    before = datetime.now(UTC)

    sent_at = remind(tmp_path, {"message": "x"})["reminder"]["sentAt"]

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", sent_at)
    assert abs((datetime.fromisoformat(sent_at) - before).total_seconds()) < 5


@pytest.mark.parametrize(
    ("value", "message"),
    [(5, "5"), (5.0, "5"), (True, "true"), ([1, None, 2], "1,,2"), ({}, "[object Object]"), ("  a \n", "a")],
)
def test_a_message_is_read_as_javascript_would(tmp_path: Path, value: Any, message: str) -> None:
    assert remind(tmp_path, {"message": value})["reminder"]["message"] == message


@pytest.mark.parametrize("blank", [None, "", "  ", 0, False])
def test_a_blank_title_is_the_default(tmp_path: Path, blank: Any) -> None:
    assert remind(tmp_path, {"message": "x", "title": blank})["reminder"]["title"] == "Reminder"


@pytest.mark.parametrize("value", [{}, *({"message": blank} for blank in (None, "", " \n", 0, False))])
def test_a_message_is_required(value: Any) -> None:
    _, faults = catalog.validate_input(reminder.JOB_TYPE, value)

    assert [(fault.path, fault.code) for fault in faults] == [(("message",), "required")]


def test_every_field_that_is_too_long_is_reported() -> None:
    _, faults = catalog.validate_input(reminder.JOB_TYPE, {"message": "x" * 4001, "title": "y" * 201})

    assert [(fault.path, fault.code) for fault in faults] == [(("message",), "too_big"), (("title",), "too_big")]


@pytest.mark.parametrize("value", [[], "text", 5, None])
def test_an_input_that_is_no_object_is_refused(value: Any) -> None:
    _, faults = catalog.validate_input(reminder.JOB_TYPE, value)

    assert [(fault.path, fault.code) for fault in faults] == [((), "invalid_type")]


def test_it_may_be_chained_with_others() -> None:
    assert reminder.JOB_TYPE.light
