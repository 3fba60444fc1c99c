"""Anything at all that a client may send: always an answer, never a fault of ours."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jobs.models import Job
from tests.parts import Api

pytestmark = pytest.mark.usefixtures("committed_db")

ANY_TEXT = st.text(max_size=20) | st.sampled_from(
    ["ping", "reminder", "daily-crypto-brief", "a\x00b", "2090-01-01T00:00"]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
ANY_BODY = st.fixed_dictionaries(
    {"jobType": st.sampled_from(["ping", "reminder", "daily-crypto-brief"]) | ANY_JSON},
    optional={
        "input": ANY_JSON,
        "priority": st.integers(1, 10) | ANY_JSON,
        "callbackUrl": st.sampled_from(["http://127.0.0.1/", "https://1.1.1.1/", "http://["]) | ANY_JSON,
        "metadata": st.dictionaries(ANY_TEXT, ANY_JSON, max_size=3) | ANY_JSON,
        "scheduleBackend": st.sampled_from(["celery", "bullmq", "systemd"]) | ANY_JSON,
        "concurrencyKey": ANY_TEXT | ANY_JSON,
        "onConflict": st.sampled_from(["queue", "reject", "replace"]) | ANY_JSON,
        "idempotencyKey": ANY_TEXT | ANY_JSON,
        "schedule": st.dictionaries(st.sampled_from(["runAt", "tz", "cron", "everySeconds"]), ANY_JSON, max_size=4),
    },
)
many = hypothesis_settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@given(ANY_JSON)
@many
def test_any_json_is_answered(api: Api, body: Any) -> None:
    answer = api.post("/jobs", json.dumps(body).encode())

    assert answer.status_code in {202, 400}
    assert json.loads(answer.content)


@given(ANY_BODY)
@many
def test_any_value_in_the_known_fields_is_answered_with_its_places(api: Api, body: Any) -> None:
    jobs_before = Job.objects.count()

    answer = api.post("/jobs", json.dumps(body, ensure_ascii=False).encode())

    told = json.loads(answer.content)
    assert answer.status_code in {200, 202, 400, 409, 422}, answer.content
    assert Job.objects.count() - jobs_before == (answer.status_code == 202)
    if told.get("error") == "invalid_payload":
        assert told["details"]
    if answer.status_code == 202:
        read = json.loads(api.get(f"/jobs/{told['jobId']}").content)
        assert read["data"]["input"] == ({} if body.get("input") is None else body["input"])


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@many
def test_any_bytes_are_answered(api: Api, raw: bytes) -> None:
    assert api.post("/jobs", raw).status_code in {202, 400}


@given(st.text(max_size=40))
@many
def test_any_id_is_answered(api: Api, job_id: str) -> None:
    assert api.get(f"/jobs/{quote(job_id, safe='', errors='replace')}").status_code in {200, 400, 404}
