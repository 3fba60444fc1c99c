"""Anything at all that a client may send about schedules: always an answer, never a fault of ours."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from schedules.models import Schedule
from tests.jobs.test_api_any_input import ANY_JSON, ANY_TEXT
from tests.parts import Api
from tests.schedules.calls import AT_NINE, body, make

pytestmark = pytest.mark.usefixtures("committed_db")

FIELD_OF_CRON = st.sampled_from(["*", "*/7", "0", "5,10", "1-5", "L", "MON#2", "FEB", "30", "31", "61", "5-5/15", ""])
CRON = st.lists(FIELD_OF_CRON, min_size=4, max_size=6).map(" ".join)
TIME = st.sampled_from(
    ["2090-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "2090-03-31T02:30", "0001-01-01T00:00+14:00", "soon"]
)
SCHEDULE = st.fixed_dictionaries(
    {},
    optional={
        "cron": CRON | ANY_JSON,
        "everySeconds": st.floats(0, 1e12) | st.integers() | ANY_JSON,
        "tz": st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "Pacific/Apia", "Mars", "UTC"]) | ANY_JSON,
        "runAt": TIME | ANY_JSON,
        "endAt": TIME | ANY_JSON,
        "misfire": st.sampled_from(["once", "skip", "all"]) | ANY_JSON,
        "overlap": st.sampled_from(["skip", "queue", "replace", "allow"]) | ANY_JSON,
        "quietHours": st.fixed_dictionaries({"from": st.just("22:00"), "to": st.just("07:00") | ANY_TEXT}) | ANY_JSON,
        "jitterSeconds": st.floats(0, 4000) | ANY_JSON,
    },
)
WORK = {
    "input": ANY_JSON,
    "priority": st.integers(1, 10) | ANY_JSON,
    "metadata": st.dictionaries(ANY_TEXT, ANY_JSON, max_size=3) | ANY_JSON,
    "callbackUrl": st.sampled_from(["http://127.0.0.1/", "https://1.1.1.1/", "http://["]) | ANY_JSON,
    "callbackEvents": st.lists(st.sampled_from(["job.started", "schedule.missed"]), max_size=3) | ANY_JSON,
    "concurrencyKey": ANY_TEXT | ANY_JSON,
    "onConflict": st.sampled_from(["queue", "reject", "replace"]) | ANY_JSON,
    "scheduleBackend": st.sampled_from(["celery", "bullmq", "systemd"]) | ANY_JSON,
}
SUBMISSION = st.fixed_dictionaries(
    {"jobType": st.sampled_from(["ping", "reminder"]) | ANY_JSON, "schedule": SCHEDULE | ANY_JSON}, optional=WORK
)
EDIT = st.fixed_dictionaries(
    {},
    optional={
        **WORK,
        "schedule": SCHEDULE | ANY_JSON,
        "name": ANY_TEXT | ANY_JSON,
        "jobType": st.sampled_from(["ping", "reminder"]) | ANY_JSON,
        "action": st.sampled_from(["pause", "resume"]) | ANY_JSON,
    },
)
many = hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def told(answer: Any, *statuses: int) -> Any:
    """Return the body of an answer with one of these statuses; what is refused has a code and, if invalid, places."""
    assert answer.status_code in statuses, (answer.status_code, answer.content)
    value = json.loads(answer.content)
    if answer.status_code >= 400:
        assert value["details"]
    return value


@given(SUBMISSION)
@many
def test_any_schedule_is_answered(api: Api, sent: Any) -> None:
    before = Schedule.objects.count()

    answer = told(api.post("/jobs", json.dumps(sent).encode()), 202, 400, 409)

    if str(answer.get("jobId", "")).startswith("sched-"):
        read = told(api.get(f"/jobs/{answer['jobId']}"), 200)
        assert read["data"]["schedule"] == sent["schedule"]
        assert Schedule.objects.count() == before + 1


@given(SUBMISSION | ANY_JSON, ANY_TEXT | st.just("bins"))
@many
def test_any_schedule_of_any_name_is_answered(api: Api, sent: Any, name: str) -> None:
    address = f"/schedules/{quote(name, safe='', errors='replace') or 'bins'}"

    told(api.put(address, json.dumps(sent).encode()), 200, 201, 400, 404)


@given(EDIT | ANY_JSON)
@many
def test_any_edit_is_answered(api: Api, sent: Any) -> None:
    known = Schedule.objects.kept().filter(name="").values_list("public_id", flat=True).first()
    schedule_id = known or make(api)

    told(api.patch(f"/jobs/{schedule_id}", json.dumps(sent).encode()), 200, 400, 409)
    told(api.get(f"/jobs/{schedule_id}"), 200)


@given(st.fixed_dictionaries({"schedule": SCHEDULE}, optional={"count": st.integers(1, 5) | ANY_JSON}) | ANY_JSON)
@many
def test_any_preview_is_answered(api: Api, sent: Any) -> None:
    told(api.post("/schedules/preview", json.dumps(sent).encode()), 200, 400)


@given(ANY_TEXT, st.sampled_from(["", "/run", "/occurrences"]), st.sampled_from(["GET", "PATCH", "DELETE", "POST"]))
@many
def test_any_name_is_answered(api: Api, name: str, call: str, method: str) -> None:
    address = f"/schedules/{quote(name, safe='', errors='replace')}{call}"

    assert api.request(method, address, b'{"action":"pause"}').status_code in {200, 202, 400, 404, 405, 409}


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode), st.text(max_size=20))
@many
def test_any_bytes_and_any_version_are_answered(api: Api, raw: bytes, version: str) -> None:
    api.put("/schedules/bins", body(AT_NINE))
    wanted = version.encode("ascii", "ignore").decode().replace("\n", "").replace("\r", "").replace("\x00", "")

    assert api.put("/schedules/bins", raw, If_Match=wanted).status_code in {200, 400, 412}
    assert api.patch("/schedules/bins", raw, If_Match=wanted).status_code in {200, 400, 412}
