"""Log lines for people and for programs, and what they are about."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.runner import answer_ring
from pirunner import health, logs
from tests.jobs.making import job_type, register, waiting
from tests.parts import Api
from webhooks import deliveries
from webhooks.models import Delivery
from webhooks.sending import send

log = logging.getLogger("jobs.handlers.feeds")

Lines = Callable[[], list[str]]


def listen(formatter: logging.Formatter) -> Iterator[Lines]:
    """Let the log be written into a text."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: text.getvalue().splitlines()
    root.removeHandler(handler)


@pytest.fixture
def human(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    monkeypatch.setenv("LOG_FORMAT", "")
    yield from listen(logs.formatter())


@pytest.fixture
def as_json(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    monkeypatch.setenv("LOG_FORMAT", "json")
    yield from listen(logs.formatter())


def about(lines: Lines, message: str) -> dict[str, Any]:
    """Return the fields of the one line with this message, without what every line has."""
    (fields,) = [fields for line in lines() if (fields := json.loads(line))["message"] == message]
    return {name: value for name, value in fields.items() if name not in {"message", "level", "logger", "time"}}


# -- the two forms ----------------------------------------------------------------------------------------------------


def test_a_line_for_people_is_short_and_says_what_it_is_about(human: Lines):
    log.warning("The feed %s is empty.", "news")
    with logs.bound(job_id=41), logs.bound(run=3):
        log.warning("It is empty.")
    log.warning("Over.")

    assert human() == [
        "WARNING jobs.handlers.feeds: The feed news is empty.",
        "WARNING jobs.handlers.feeds: It is empty. [job_id=41 run=3]",
        "WARNING jobs.handlers.feeds: Over.",
    ]


def test_a_line_for_programs_is_one_object_whatever_is_in_it(as_json: Lines):
    with logs.bound(job_id=41):
        log.warning('Two\nlines, "quoted", ⏰ and \x00 %s', "news")

    (line,) = as_json()
    fields = json.loads(line)
    moment = fields.pop("time")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", moment)
    assert fields == {
        "message": 'Two\nlines, "quoted", ⏰ and \x00 news',
        "level": "warning",
        "logger": "jobs.handlers.feeds",
        "job_id": 41,
    }


def test_a_traceback_is_part_of_its_line_and_tells_no_values(as_json: Lines):
    secret = "whsec_" + "c2VjcmV0" * 4
    try:
        int(secret[:0])
    except ValueError:
        log.exception("It failed.")

    (line,) = as_json()
    assert json.loads(line)["exception"].startswith("Traceback (most recent call last):")
    assert secret not in line


# -- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("agent-7.call_12", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("two words", False),
        ("line\\nfeed", False),
        ("č", False),
        ("{}", False),
    ],
)
def test_a_request_keeps_its_name_if_that_may_stand_in_a_log(given: str, kept: bool):
    answer = Client().get("/nowhere", headers={"X-Request-Id": given})

    name = answer.headers["X-Request-Id"]
    assert (name == given) is kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name)


def test_each_request_without_a_name_gets_one_of_its_own():
    assert len({Client().get("/nowhere").headers["X-Request-Id"] for _ in range(5)}) == 5


@pytest.mark.django_db
def test_what_is_logged_during_a_request_has_its_name(api: Api, as_json: Lines, monkeypatch: pytest.MonkeyPatch):
    def look(*_: Any) -> Any:
        log.warning("I looked.")
        return {"state": "ok"}

    monkeypatch.setattr(health, "_disk", look)
    api.get("/health", X_Request_Id="call-7")
    log.warning("Afterwards.")

    assert about(as_json, "I looked.") == {"request_id": "call-7"}
    assert about(as_json, "Afterwards.") == {}


# -- jobs and callbacks -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("committed_db")
def test_what_a_handler_logs_names_its_job(as_json: Lines, monkeypatch: pytest.MonkeyPatch):
    def handle(_ctx: Any, _input: Any) -> dict[str, Any]:
        log.warning("I work.")
        return {}

    talkative = job_type("talkative", handle)
    register(monkeypatch, talkative)
    job = waiting(talkative)

    assert answer_ring("talkative", worker="worker@test") == [f"{job.pk}:1"]

    assert about(as_json, "I work.") == {"job_id": job.pk, "run": 1, "attempt": 1, "job_type": "talkative"}


@pytest.mark.usefixtures("committed_db")
def test_what_is_logged_while_a_callback_is_sent_names_it(as_json: Lines, monkeypatch: pytest.MonkeyPatch, owner: Any):
    owner.CALLBACK_ALLOWED_HOSTS = ("127.0.0.1",)
    now = timezone.now()
    url = "http://127.0.0.1:9/hook"
    row = Delivery.objects.create(
        event_id="evt_1",
        job_id=7,
        event="job.failed",
        url=url,
        host="h",
        body="{}",
        created_at=now,
        next_attempt_at=now,
    )

    def send_loudly(**fields: Any) -> Any:
        log.warning("I send.")
        return send(**fields)

    monkeypatch.setattr(deliveries, "send", send_loudly)

    assert deliveries.attempt_delivery(row.pk) == "pending"

    assert about(as_json, "I send.") == {"delivery_id": row.pk, "attempt": 1, "job_id": 7}
