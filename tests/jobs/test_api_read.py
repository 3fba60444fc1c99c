"""Reading and deleting jobs over HTTP."""

import json
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.context import RunContext
from jobs.endings import attempt_failed, completed
from jobs.errors import JobFailed
from jobs.lifecycle import end_many, start_many
from jobs.models import Job
from tests.jobs.making import CLAIMER, NOON, PING, SLOW, active, delayed, start, waiting
from tests.parts import Api

pytestmark = pytest.mark.usefixtures("committed_db")

OLD_FIELDS = {
    *("id", "name", "state", "attemptsMade", "progress", "returnvalue", "failedReason"),
    *("timestamp", "processedOn", "finishedOn", "data"),
}


def read(api: Api, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


# -- one job ------------------------------------------------------------------------------------------------------


def test_a_waiting_job(api: Api) -> None:
    job = waiting(
        PING,
        since=NOON,
        input={"a": 1},
        metadata={"b": 2},
        schedule={"tz": "UTC"},
        callback_url="http://x/",
        priority=3,
    )

    body = read(api, f"/jobs/{job.pk}")

    assert set(body) >= OLD_FIELDS
    assert (body["id"], body["name"], body["state"]) == (str(job.pk), "ping", "waiting")
    assert (body["attemptsMade"], body["progress"], body["returnvalue"], body["failedReason"]) == (0, 0, None, None)
    assert (body["timestamp"], body["processedOn"], body["finishedOn"]) == (1772366400000, None, None)
    assert body["createdAt"] == "2026-03-01T12:00:00.000Z"
    assert body["data"] == {
        "jobType": "ping",
        "input": {"a": 1},
        "callbackUrl": "http://x/",
        "metadata": {"b": 2},
        "schedule": {"tz": "UTC"},
    }
    assert (body["priority"], body["attempts"], body["artifacts"]) == (3, [], [])


def test_a_completed_job_with_its_attempts_and_files(api: Api) -> None:
    claim = start()
    end_many([attempt_failed(claim, JobFailed("no"), at=timezone.now(), backoff_seconds=0, jitter=0)])
    Job.objects.update(state="waiting")
    (again,) = start_many(job_type=SLOW, claimer=CLAIMER)
    artifact = RunContext(again).artifact("brief.md", "# Brief")
    end_many([completed(again, {"summary": "Done."}, at=timezone.now(), artifacts=(artifact,))])

    body = read(api, f"/jobs/{claim.job_id}")

    assert (body["state"], body["progress"], body["attemptsMade"]) == ("completed", 100, 2)
    assert (body["returnvalue"], body["summary"], body["failedReason"]) == ({"summary": "Done."}, "Done.", None)
    assert body["finishedOn"] >= body["processedOn"] >= body["timestamp"]
    assert [attempt["status"] for attempt in body["attempts"]] == ["FAILURE", "SUCCESS"]
    assert all(attempt["startedAt"] and attempt["endedAt"] for attempt in body["attempts"])
    (file,) = body["artifacts"]
    assert (file["name"], file["mediaType"], file["size"]) == ("brief.md", "text/markdown", 7)
    assert file["sha256"] == artifact.sha256


def test_a_running_job_tells_who_runs_it(api: Api) -> None:
    claim = start()

    body = read(api, f"/jobs/{claim.job_id}")

    assert (body["state"], body["worker"]) == ("active", claim.worker)
    assert body["attempts"][0]["endedAt"] is None


def test_a_result_with_any_text_is_read_back(api: Api) -> None:
    value = {"text": "a\x00b⏰", "big": 2**70, "float": 1e300}
    job = waiting(state="completed", result=value)

    assert read(api, f"/jobs/{job.pk}")["returnvalue"] == value


@pytest.mark.parametrize(
    "job_id", ["0", "1", "999999999999999999", "9" * 30, "abc", "-1", "1.0", "%00", "%F0", "sysd-1"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_no_such_job(api: Api, method: str, job_id: str) -> None:
    answer = api.request(method, f"/jobs/{job_id}")

    assert (answer.status_code, json.loads(answer.content)["error"]) == (404, "not_found")


# -- waiting for the end ------------------------------------------------------------------------------------------


def test_an_ended_job_is_answered_at_once(api: Api) -> None:
    job = waiting(state="failed")

    assert read(api, f"/jobs/{job.pk}?wait=50")["state"] == "failed"


def test_whoever_waits_is_answered_as_soon_as_the_job_ends(api: Api) -> None:
    claim = start()
    timer = threading.Timer(0.1, lambda: end_many([completed(claim, {}, at=timezone.now())]))
    begun = timezone.now()
    timer.start()

    assert read(api, f"/jobs/{claim.job_id}?wait=30")["state"] == "completed"

    timer.join()
    assert timezone.now() - begun < timedelta(seconds=10)


def test_when_the_wait_is_over_the_job_is_read_as_it_is(api: Api) -> None:
    job = waiting()

    assert read(api, f"/jobs/{job.pk}?wait=1")["state"] == "waiting"


# -- lists --------------------------------------------------------------------------------------------------------


def ids(page: list[dict[str, Any]]) -> list[int]:
    return [int(job["id"]) for job in page]


def next_of(answer: Any) -> str:
    found = re.fullmatch(r'<(.+)>; rel="next"', answer["Link"])
    assert found
    return found[1]


def test_a_list_is_newest_first(api: Api) -> None:
    jobs = [waiting().pk for _ in range(3)]

    page = read(api, "/jobs")

    assert ids(page) == jobs[::-1]
    assert set(page[0]) >= OLD_FIELDS


def test_an_empty_list(api: Api) -> None:
    answer = api.get("/jobs")

    assert (answer.content, answer.has_header("Link")) == (b"[]", False)


def test_pages_follow_the_link(api: Api) -> None:
    jobs = [waiting().pk for _ in range(5)]
    seen: list[int] = []
    path = "/jobs?limit=2&state=waiting"
    for _ in range(3):
        answer = api.get(path)
        seen += ids(json.loads(answer.content))
        path = next_of(answer) if answer.has_header("Link") else ""

    assert seen == jobs[::-1]
    assert path == ""


def test_the_link_keeps_the_filter(api: Api) -> None:
    for _ in range(2):
        waiting(PING)

    assert "jobType=ping" in next_of(api.get("/jobs?limit=1&jobType=ping"))


def test_a_page_has_50_unless_asked_and_200_at_most(api: Api) -> None:
    Job.objects.bulk_create([_copy_of(waiting()) for _ in range(201)])

    assert len(read(api, "/jobs")) == 50
    assert len(read(api, "/jobs?limit=1")) == 1
    assert len(read(api, "/jobs?limit=100000")) == 200


def _copy_of(job: Job) -> Job:
    job.pk = None
    return job


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=delayed", 1),
        ("state=waiting", 2),
        ("jobType=ping", 1),
        ("jobType=ping&state=waiting", 1),
        ("jobType=no%27such", 0),
        ("q=price", 1),
        ("since=2090-01-01T00:00:00Z", 0),
        ("since=2026-01-01T00:00:00Z", 4),
        ("since=0", 4),
        ("scheduleId=1", 0),
        ("unknown=1", 4),
    ],
)
def test_filters(api: Api, query: str, found: int) -> None:
    waiting(PING)
    waiting()
    waiting(state="failed", error="no price", finished_at=timezone.now())
    delayed(due_at=timezone.now())

    assert len(read(api, f"/jobs?{query}")) == found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=%D9%A3", "limit"),
        ("before=0", "before"),
        ("before=x", "before"),
        ("state=running", "state"),
        ("state=", "state"),
        ("state=%00", "state"),
        ("jobType=%00", "jobType"),
        ("since=yesterday", "since"),
        ("since=%00", "since"),
        ("q=%00", "q"),
        ("q=" + "x" * 1000, "q"),
    ],
)
def test_a_query_that_means_nothing_is_a_fault_with_its_place(api: Api, query: str, field: str) -> None:
    answer = api.get(f"/jobs?{query}")

    assert answer.status_code == 400
    body = json.loads(answer.content)
    assert body["error"] == "invalid_payload"
    assert [fault["path"] for fault in body["details"]] == [[field]]


@pytest.mark.parametrize("query", ["wait=x", "wait=-1", "wait=1.5", "wait="])
def test_a_wait_that_is_no_number_is_a_fault(api: Api, query: str) -> None:
    job = waiting()

    assert api.get(f"/jobs/{job.pk}?{query}").status_code == 400


# -- the rest -----------------------------------------------------------------------------------------------------


def test_job_types(api: Api) -> None:
    names = [job_type["name"] for job_type in read(api, "/job-types")["jobTypes"]]

    assert {"ping", "reminder", "daily-crypto-brief"} <= set(names)


def test_queue_stats(api: Api) -> None:
    waiting(since=timezone.now() - timedelta(seconds=60), priority=1)
    active()

    stats = read(api, "/queues/stats")

    assert (stats["waiting"], stats["active"], stats["delayed"]) == (1, 1, 0)
    assert {"completed", "failed", "cancelled"} <= set(stats)
    assert 59 < stats["oldestWaitingSeconds"] < 120
    assert stats["workersAlive"] is None
    assert stats["callbacks"] == {"pending": 0, "dead": 0, "failingHosts": 0, "oldestDueSeconds": None}
