"""Bad input: an error with a code and the place, and nothing stored."""

import json
from typing import Any

import pytest

from jobs.models import IdempotencyKey, Job
from pirunner.doorbell import Ring
from tests.parts import TOKEN, Api
from webhooks.models import Event

pytestmark = pytest.mark.usefixtures("committed_db")

PING = {"jobType": "ping"}
RAW_PING = b'{"jobType":"ping"}'
LONG = "x" * 10_000


def error_of(answer: Any, status: int) -> dict[str, Any]:
    """Return the error body; see that it is one, and that nothing was stored."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    assert Job.objects.count() == IdempotencyKey.objects.count() == Event.objects.count() == 0
    body: dict[str, Any] = json.loads(answer.content)
    assert set(body) <= {"error", "details"}
    return body


def faults_of(answer: Any) -> dict[tuple[Any, ...], str]:
    """Return the code of each fault by its place."""
    body = error_of(answer, 400)
    assert body["error"] == "invalid_payload"
    assert all(set(fault) == {"path", "code", "message"} and fault["message"] for fault in body["details"])
    return {tuple(fault["path"]): fault["code"] for fault in body["details"]}


# -- bodies that are no JSON --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"{",
        b'{"jobType": "ping"',
        b"{'jobType': 'ping'}",
        RAW_PING + b"}",
        RAW_PING + RAW_PING,
        b'{"jobType": "ping",}',
        b'{"jobType": NaN}',
        b'{"jobType":"ping","input":Infinity}',
        b'{"jobType":"ping","input":1e999}',
        b'{"jobType":"ping","input":-1e999}',
        b'{"jobType":"ping","input":1' + b"0" * 400 + b"}",
        b'{"jobType":"ping","metadata":{"a":[-1' + b"0" * 400 + b"]}}",
        b'{"jobType":"ping","input":1' + b"0" * 5000 + b"}",
        b'{"jobType":"\xff"}',
        b'{"jobType":"ping","input":"\\ud800"}',
        b'{"jobType":"ping","input":{"\\udc00":1}}',
        b'{"jobType":"ping","input":"\x00"}',
        b"\xef\xbb\xbf" + RAW_PING,
        RAW_PING.decode().encode("utf-16"),
        b"[" * 100_000,
        b'{"jobType":"ping","input":' + b"[" * 65 + b"]" * 65 + b"}",
        b'{"jobType":"ping","input":' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}",
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_a_body_that_is_no_json_or_cannot_be_kept(api: Api, raw: bytes) -> None:
    assert error_of(api.post("/jobs", raw), 400)["error"] == "invalid_json"


def test_a_body_as_deep_as_may_be(api: Api) -> None:
    raw = b'{"jobType":"ping","input":' + b"[" * 63 + b"]" * 63 + b"}"

    assert api.post("/jobs", raw).status_code == 202


def test_the_largest_double_as_a_whole_number(api: Api) -> None:
    raw = b'{"jobType":"ping","input":1' + b"0" * 308 + b',"metadata":{"digits":"' + b"9" * 400 + b'"}}'

    assert api.post("/jobs", raw).status_code == 202


@pytest.mark.parametrize("raw", [b"null", b"true", b"1", b'"ping"', b"[]", b"[" + RAW_PING + b"]"])
def test_a_body_that_is_no_object(api: Api, raw: bytes) -> None:
    assert faults_of(api.post("/jobs", raw)) == {(): "invalid_type"}


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 2 * 1024 * 1024, 4 * 1024 * 1024])
def test_a_body_that_is_too_large(api: Api, size: int) -> None:
    raw = b'{"jobType":"ping","input":"' + b"x" * size + b'"}'

    assert error_of(api.post("/jobs", raw), 413)["error"] == "payload_too_large"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ""],
)
def test_a_body_that_is_not_declared_as_json(api: Api, content_type: str) -> None:
    answer = api.post("/jobs", PING, Content_Type=content_type)

    assert error_of(answer, 415)["error"] == "unsupported_media_type"


# -- who calls ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/jobs"), ("GET", "/jobs"), ("DELETE", "/jobs/1")])
def test_without_a_valid_token(api: Api, method: str, path: str, authorization: str) -> None:
    answer = api.request(method, path, RAW_PING, Authorization=authorization)

    assert error_of(answer, 401)["error"] == "unauthorized"
    assert answer["WWW-Authenticate"] == "Bearer"


def test_the_token_comes_before_everything_else(api: Api) -> None:
    error_of(api.request("POST", "/jobs", b"x" * 5_000_000, Authorization="", Content_Type="text/plain"), 401)
    error_of(api.request("PATCH", "/jobs", Authorization=""), 401)


# -- places and methods -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/nothing", "/jobs/", "/jobs/1/2/3", "/job-types/ping", "/JOBS", "/jobs%00", "/%2e%2e"]
)
def test_an_unknown_place(api: Api, path: str) -> None:
    assert error_of(api.get(path), 404)["error"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/jobs"),
        ("PATCH", "/jobs"),
        ("DELETE", "/jobs"),
        ("OPTIONS", "/jobs"),
        ("TRACE", "/jobs"),
        ("BREW", "/jobs"),
        ("POST", "/jobs/1"),
        ("PUT", "/jobs/1"),
        ("POST", "/job-types"),
        ("DELETE", "/queues/stats"),
        ("POST", "/health"),
        ("GET", "/jobs/1/cancel"),
        ("DELETE", "/jobs/1/retry"),
    ],
)
def test_another_method(api: Api, method: str, path: str) -> None:
    answer = api.request(method, path, RAW_PING)

    assert error_of(answer, 405)["error"] == "method_not_allowed"
    assert method not in answer["Allow"]


# -- fields -------------------------------------------------------------------------------------------------------

WRONG_FIELDS = [
    ({}, {("jobType",): "required"}),
    ({"jobType": None}, {("jobType",): "invalid_type"}),
    ({"jobType": 5}, {("jobType",): "invalid_type"}),
    ({"jobType": ""}, {("jobType",): "too_small"}),
    ({"jobType": "unknown"}, {("jobType",): "unknown_job_type"}),
    ({"jobType": "PING"}, {("jobType",): "unknown_job_type"}),
    ({"jobType": "jobs.handlers.ping"}, {("jobType",): "unknown_job_type"}),
    ({"jobType": "ping\x00"}, {("jobType",): "unknown_job_type"}),
    ({"jobType": "x" * 101}, {("jobType",): "unknown_job_type"}),
    ({"jobType": "reminder"}, {("input", "message"): "required"}),
    ({"jobType": "reminder", "input": {}}, {("input", "message"): "required"}),
    ({"jobType": "reminder", "input": {"message": "  "}}, {("input", "message"): "required"}),
    ({"jobType": "reminder", "input": {"message": LONG}}, {("input", "message"): "too_big"}),
    ({"jobType": "reminder", "input": [1]}, {("input",): "invalid_type"}),
    (
        {"jobType": "daily-crypto-brief", "input": {"maxItems": 101, "sources": ["ftp://a/"]}},
        {("input", "maxItems"): "too_big", ("input", "sources", 0): "invalid_string"},
    ),
    ({**PING, "priority": 0}, {("priority",): "too_small"}),
    ({**PING, "priority": 11}, {("priority",): "too_big"}),
    ({**PING, "priority": -(2**70)}, {("priority",): "too_small"}),
    ({**PING, "priority": 5.5}, {("priority",): "invalid_type"}),
    ({**PING, "priority": 5.0}, {("priority",): "invalid_type"}),
    ({**PING, "priority": "5"}, {("priority",): "invalid_type"}),
    ({**PING, "priority": True}, {("priority",): "invalid_type"}),
    ({**PING, "priority": None}, {("priority",): "invalid_type"}),
    ({**PING, "metadata": "x"}, {("metadata",): "invalid_type"}),
    ({**PING, "metadata": [1]}, {("metadata",): "invalid_type"}),
    ({**PING, "scheduleBackend": "cron"}, {("scheduleBackend",): "invalid_enum"}),
    ({**PING, "scheduleBackend": None}, {("scheduleBackend",): "invalid_enum"}),
    ({**PING, "onConflict": "ignore"}, {("onConflict",): "invalid_enum"}),
    ({**PING, "concurrencyKey": ""}, {("concurrencyKey",): "too_small"}),
    ({**PING, "concurrencyKey": "x" * 201}, {("concurrencyKey",): "too_big"}),
    ({**PING, "concurrencyKey": "a\x00b"}, {("concurrencyKey",): "invalid_string"}),
    ({**PING, "idempotencyKey": "short"}, {("idempotencyKey",): "too_small"}),
    ({**PING, "idempotencyKey": "x" * 129}, {("idempotencyKey",): "too_big"}),
    ({**PING, "idempotencyKey": "client\x00key"}, {("idempotencyKey",): "invalid_string"}),
    ({**PING, "idempotencyKey": 12345678}, {("idempotencyKey",): "invalid_type"}),
    ({**PING, "callbackUrl": ""}, {("callbackUrl",): "too_small"}),
    ({**PING, "callbackUrl": 5}, {("callbackUrl",): "invalid_type"}),
    ({**PING, "callbackUrl": "ftp://1.1.1.1/"}, {("callbackUrl",): "url_refused"}),
    ({**PING, "callbackUrl": "file:///etc/passwd"}, {("callbackUrl",): "url_refused"}),
    ({**PING, "callbackUrl": "//1.1.1.1/"}, {("callbackUrl",): "url_refused"}),
    ({**PING, "callbackUrl": "http://"}, {("callbackUrl",): "url_refused"}),
    ({**PING, "callbackUrl": "http://1.1.1.1/\x00"}, {("callbackUrl",): "url_refused"}),
    ({**PING, "callbackUrl": "http://user:password@1.1.1.1/"}, {("callbackUrl",): "url_refused"}),
    ({**PING, "callbackUrl": "http://2130706433/"}, {("callbackUrl",): "url_refused"}),
    ({**PING, "callbackUrl": "http://127.0.0.1/"}, {("callbackUrl",): "address_refused"}),
    ({**PING, "callbackUrl": "http://[::1]/"}, {("callbackUrl",): "address_refused"}),
    ({**PING, "callbackUrl": "http://192.168.1.2:8123/hook"}, {("callbackUrl",): "address_refused"}),
    ({**PING, "callbackUrl": "http://169.254.169.254/latest"}, {("callbackUrl",): "address_refused"}),
    ({**PING, "schedule": "now"}, {("schedule",): "invalid_type"}),
    ({**PING, "schedule": []}, {("schedule",): "invalid_type"}),
    ({**PING, "schedule": {"runAt": ""}}, {("schedule", "runAt"): "too_small"}),
    ({**PING, "schedule": {"runAt": 1772366400000}}, {("schedule", "runAt"): "invalid_type"}),
    ({**PING, "schedule": {"runAt": "tomorrow"}}, {("schedule", "runAt"): "invalid_date"}),
    ({**PING, "schedule": {"runAt": "2090-03-10"}}, {("schedule", "runAt"): "invalid_date"}),
    ({**PING, "schedule": {"runAt": "2090-02-30T00:00:00Z"}}, {("schedule", "runAt"): "invalid_date"}),
    ({**PING, "schedule": {"runAt": "2020-01-01T00:00:00Z"}}, {("schedule", "runAt"): "invalid_date"}),
    ({**PING, "schedule": {"runAt": "2020-01-01T00:00:00"}}, {("schedule", "runAt"): "invalid_date"}),
    ({**PING, "schedule": {"runAt": "9999-12-31T23:59:59-12:00"}}, {("schedule", "runAt"): "invalid_date"}),
    ({**PING, "schedule": {"tz": "Mars/Olympus"}}, {("schedule", "tz"): "unknown_zone"}),
    ({**PING, "schedule": {"tz": "../../etc/passwd"}}, {("schedule", "tz"): "unknown_zone"}),
    ({**PING, "schedule": {"tz": "/etc/localtime"}}, {("schedule", "tz"): "unknown_zone"}),
    ({**PING, "schedule": {"tz": "America"}}, {("schedule", "tz"): "unknown_zone"}),
    ({**PING, "schedule": {"tz": "UTC\x00"}}, {("schedule", "tz"): "unknown_zone"}),
    ({**PING, "schedule": {"tz": ""}}, {("schedule", "tz"): "too_small"}),
    ({**PING, "schedule": {"everySeconds": "60"}}, {("schedule", "everySeconds"): "invalid_type"}),
    ({**PING, "schedule": {"cron": 5}}, {("schedule", "cron"): "invalid_type"}),
]


@pytest.mark.parametrize(("body", "faults"), WRONG_FIELDS, ids=lambda value: repr(value)[:70])
def test_a_wrong_field(api: Api, rings: list[Ring], body: dict[str, Any], faults: dict[tuple[Any, ...], str]) -> None:
    found = faults_of(api.post("/jobs", body))

    assert {path: found.get(path) for path in faults} == faults
    assert set(found) == set(faults)
    assert rings == []


def test_all_faults_at_once(api: Api) -> None:
    body = {
        "jobType": "reminder",
        "input": {"title": "x" * 300},
        "priority": 99,
        "callbackUrl": "http://127.0.0.1/",
        "metadata": [],
        "idempotencyKey": "short",
        "schedule": {"runAt": "yesterday", "tz": "Mars/Olympus"},
    }

    assert faults_of(api.post("/jobs", body)) == {
        ("input", "message"): "required",
        ("input", "title"): "too_big",
        ("priority",): "too_big",
        ("callbackUrl",): "address_refused",
        ("metadata",): "invalid_type",
        ("idempotencyKey",): "too_small",
        ("schedule", "tz"): "unknown_zone",
    }


@pytest.mark.parametrize(("key", "code"), [("x" * 256, "too_big"), ("x" * 100_000, "too_big")])
def test_an_idempotency_key_that_is_too_long(api: Api, key: str, code: str) -> None:
    assert faults_of(api.post("/jobs", PING, Idempotency_Key=key)) == {("Idempotency-Key",): code}


def test_a_wrong_body_does_not_use_up_its_key(api: Api) -> None:
    error_of(api.post("/jobs", {**PING, "priority": 0}, Idempotency_Key="k"), 400)

    assert api.post("/jobs", PING, Idempotency_Key="k").status_code == 202


def test_a_fault_repeats_little_of_what_was_sent(api: Api) -> None:
    body = {"jobType": LONG, "priority": LONG, "callbackUrl": f"http://{LONG}/", LONG: LONG}

    answer = api.post("/jobs", body)

    error_of(answer, 400)
    assert len(answer.content) < 3000


@pytest.mark.parametrize("path", ["/jobs", "/jobs/1", "/health", "/"])
def test_no_query_breaks_a_page(api: Api, path: str) -> None:
    answer = api.get(f"{path}?%00=%ff&limit=%00&wait=%ED%A0%80&a[]=1&=&&;")

    assert answer.status_code < 500 or path == "/health"
