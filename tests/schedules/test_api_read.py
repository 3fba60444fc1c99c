"""``GET /schedules``, ``GET /jobs/:id`` on a schedule, its occurrences and its jobs; and what is only of jobs."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs.models import Job
from schedules import selectors
from schedules.models import Occurrence, Schedule
from schedules.services import delete_schedule
from tests.parts import Api
from tests.schedules.calls import AT_NINE, EVERY_HOUR, error, faults, fire, make, row

pytestmark = pytest.mark.usefixtures("committed_db")

OLD_FIELDS = {
    *("id", "backend", "enabled", "jobType", "input", "callbackUrl", "metadata"),
    *("schedule", "repeatKey", "createdAt", "updatedAt"),
}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    answer = api.get(f"/schedules{query}")
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"schedules"}
    return list(answer.json()["schedules"])


def next_page(answer: Any) -> str | None:
    link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
    return link and link[1]


def pages(api: Api, path: str, key: str) -> list[list[Any]]:
    found: list[list[Any]] = []
    address: str | None = path
    while address:
        answer = api.get(address)
        assert answer.status_code == 200, answer.content
        found.append(answer.json()[key])
        address = next_page(answer)
    return found


# -- the list -----------------------------------------------------------------------------------------------------


def test_no_schedules_are_an_empty_list(api: Api) -> None:
    assert listed(api) == []


def test_a_schedule_in_the_list_has_the_old_fields_and_more(api: Api) -> None:
    schedule_id = make(api, metadata={"a": 1}, input={"b": 2}, scheduleBackend="bullmq")

    (item,) = listed(api)

    assert item.keys() >= OLD_FIELDS
    assert (item["id"], item["backend"], item["enabled"], item["jobType"]) == (schedule_id, "bullmq", True, "ping")
    assert (item["input"], item["metadata"], item["callbackUrl"]) == ({"b": 2}, {"a": 1}, None)
    assert item["schedule"] == AT_NINE
    assert ISO.fullmatch(item["createdAt"])
    assert ISO.fullmatch(item["updatedAt"])
    assert (item["state"], item["name"], item["version"], item["lastOccurrence"]) == ("scheduled", None, 1, None)
    assert item["description"] == "At 09:00 on Monday through Friday, in the zone Asia/Kolkata."
    assert item["repeatKey"] == f"ping:{schedule_id}::Asia/Kolkata:0 9 * * 1-5"


def test_the_list_tells_the_latest_occurrence(api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    fire(schedule_id)

    (item,) = listed(api)

    assert item["lastOccurrence"]["outcome"] == "fired"
    assert item["lastOccurrence"]["jobId"] == str(Job.objects.get().pk)


def test_the_list_is_filtered(api: Api) -> None:
    ping, reminder = make(api), make(api, jobType="reminder", input={"message": "m"})
    api.put("/schedules/bins", {"jobType": "ping", "schedule": AT_NINE})
    api.patch(f"/jobs/{reminder}", {"action": "pause"})

    def ids(query: str) -> list[str]:
        return [item["id"] for item in listed(api, query)]

    assert ids("?jobType=reminder") == [reminder]
    assert ids("?enabled=false") == [reminder]
    assert reminder not in ids("?enabled=true")
    assert len(ids("?backend=celery")) == len(ids("?backend=bullmq")) == 3
    assert ids("?backend=systemd") == []
    assert ids("?jobType=ping")[0] == ping
    assert [item["name"] for item in listed(api, "?name=bins")] == ["bins"]


def test_a_page_of_large_schedules_is_shorter(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE_LENGTH", 250)
    made = [make(api, input="x" * 100) for _ in range(3)] + [make(api, input="x" * 1000)]

    found = pages(api, "/schedules?limit=10", "schedules")

    assert [[item["id"] for item in page] for page in found] == [made[:2], made[2:3], made[3:]]


def test_the_list_has_pages(api: Api) -> None:
    made = [make(api) for _ in range(5)]

    found = pages(api, "/schedules?limit=2&jobType=ping", "schedules")

    assert [len(page) for page in found] == [2, 2, 1]
    assert [item["id"] for page in found for item in page] == made


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "after=-1", "backend=cron", "enabled=1", "jobType=", "name=%00"]
)
def test_nonsense_in_the_query_is_refused(api: Api, query: str) -> None:
    assert set(faults(api.get(f"/schedules?{query}"))) == {(query.partition("=")[0],)}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a small table as a whole")
def test_indexes_find_schedules_and_occurrences() -> None:
    assert "INDEX schedule_name_once (name=?" in Schedule.objects.named("bins").explain()
    assert (
        "INDEX schedule_due (backend=? AND next_due_at<"
        in Schedule.objects.kept().filter(backend="celery", next_due_at__lte=timezone.now()).explain()
    )
    assert "(schedule_id=?" in Occurrence.objects.filter(schedule_id=1).order_by("-due_at")[:50].explain()


# -- one ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["/jobs/{id}", "/schedules/{id}", "/schedules/bins"])
def test_a_schedule_reads_where_jobs_do(api: Api, place: str) -> None:
    schedule_id = api.put("/schedules/bins", {"jobType": "ping", "schedule": AT_NINE}).json()["jobId"]

    answer = api.get(place.format(id=schedule_id))

    read = answer.json()
    assert (read["id"], read["name"], read["scheduleName"]) == (schedule_id, "ping", "bins")
    assert read["state"] == "scheduled"
    assert read["data"] == {
        "jobType": "ping",
        "input": {},
        "callbackUrl": None,
        "metadata": None,
        "schedule": AT_NINE,
        "backend": "celery",
    }
    assert read["schedule"] == listed(api)[0]
    assert answer["ETag"] == '"1"'


def test_a_paused_one_reads_as_paused(api: Api) -> None:
    schedule_id = make(api)
    api.patch(f"/jobs/{schedule_id}", {"action": "pause"})

    read = api.get(f"/jobs/{schedule_id}").json()

    assert (read["state"], read["schedule"]["enabled"], read["schedule"]["nextDueAt"]) == ("paused", False, None)


def test_waiting_for_the_end_of_a_schedule_answers_at_once(api: Api) -> None:
    schedule_id = make(api)
    began = timezone.now()

    assert api.get(f"/jobs/{schedule_id}?wait=50").json()["state"] == "scheduled"
    assert timezone.now() - began < timedelta(seconds=10)


@pytest.mark.parametrize(
    "reference", ["sched-nothing", "sysd-00000000-0000-4000-8000-000000000000", "bins", "%00", "é"]
)
def test_there_is_no_such_schedule(api: Api, reference: str) -> None:
    for place in (f"/schedules/{reference}", f"/schedules/{reference}/occurrences", f"/jobs/{reference}"):
        assert error(api.get(place)) == (404, "not_found")


# -- occurrences --------------------------------------------------------------------------------------------------


def occurrence(schedule_id: str, due_at: datetime, outcome: str = "fired", **fields: Any) -> Occurrence:
    values = {"until_due_at": due_at, "outcome": outcome, "recorded_at": due_at, **fields}
    return Occurrence.objects.create(schedule=row(schedule_id), due_at=due_at, **values)


def test_occurrences_come_newest_first(api: Api) -> None:
    schedule_id = make(api)
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    occurrence(schedule_id, noon, job_id=7)
    occurrence(
        schedule_id,
        noon + timedelta(hours=1),
        "skipped",
        until_due_at=noon + timedelta(hours=3),
        count=3,
        reason="missed",
    )

    answer = api.get(f"/schedules/{schedule_id}/occurrences")

    assert answer.json() == {
        "occurrences": [
            {
                "dueAt": "2026-03-01T13:00:00.000Z",
                "untilDueAt": "2026-03-01T15:00:00.000Z",
                "count": 3,
                "outcome": "skipped",
                "reason": "missed",
                "jobId": None,
                "recordedAt": "2026-03-01T13:00:00.000Z",
            },
            {
                "dueAt": "2026-03-01T12:00:00.000Z",
                "untilDueAt": "2026-03-01T12:00:00.000Z",
                "count": 1,
                "outcome": "fired",
                "reason": None,
                "jobId": "7",
                "recordedAt": "2026-03-01T12:00:00.000Z",
            },
        ]
    }


def test_occurrences_have_pages(api: Api) -> None:
    schedule_id = make(api)
    for number in range(5):
        occurrence(schedule_id, datetime(2026, 3, 1, number, tzinfo=UTC))

    found = pages(api, f"/schedules/{schedule_id}/occurrences?limit=2", "occurrences")

    assert [len(page) for page in found] == [2, 2, 1]
    assert [item["dueAt"][11:13] for page in found for item in page] == ["04", "03", "02", "01", "00"]


def test_a_page_can_be_asked_for_by_the_due_time_of_the_last(api: Api) -> None:
    schedule_id = make(api)
    for number in range(3):
        occurrence(schedule_id, datetime(2026, 3, 1, number, tzinfo=UTC))

    answer = api.get(f"/schedules/{schedule_id}/occurrences?after=2026-03-01T02:00:00.000Z")

    assert [item["dueAt"][11:13] for item in answer.json()["occurrences"]] == ["01", "00"]


@pytest.mark.parametrize("query", ["limit=0", "after=soon", "after="])
def test_nonsense_in_the_query_of_occurrences_is_refused(api: Api, query: str) -> None:
    schedule_id = make(api)

    assert set(faults(api.get(f"/schedules/{schedule_id}/occurrences?{query}"))) == {(query.partition("=")[0],)}


# -- jobs of a schedule -------------------------------------------------------------------------------------------


def test_the_jobs_of_a_schedule_are_listed(api: Api) -> None:
    schedule_id, other = make(api, EVERY_HOUR), make(api, EVERY_HOUR)
    fire(schedule_id)
    fire(other)

    (job,) = api.get(f"/jobs?scheduleId={schedule_id}").json()

    assert (job["scheduleId"], job["name"], job["data"]["schedule"]) == (schedule_id, "ping", EVERY_HOUR)
    assert api.get(f"/jobs?scheduleId={schedule_id}&state=completed").json() == []
    assert api.get("/jobs?scheduleId=sched-nothing").json() == []


def test_the_jobs_of_a_schedule_stay_when_it_is_deleted(api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    fire(schedule_id)
    delete_schedule(row(schedule_id).pk, by="a test")

    assert len(api.get(f"/jobs?scheduleId={schedule_id}").json()) == 1


# -- what is only of jobs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "call"),
    [("POST", "cancel"), ("POST", "retry"), ("GET", "log"), ("GET", "events"), ("GET", "artifacts")],
)
def test_calls_of_jobs_say_what_a_schedule_has_instead(api: Api, method: str, call: str) -> None:
    schedule_id = make(api)

    answer = api.request(method, f"/jobs/{schedule_id}/{call}")

    assert error(answer) == (409, "not_a_job")
    assert f"GET /jobs?scheduleId={schedule_id}" in answer.json()["details"]
    assert error(api.request(method, f"/jobs/sched-nothing/{call}")) == (404, "not_found")
    assert error(api.request(method, f"/jobs/{schedule_id}/{call}", Authorization="")) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("/schedules", "/schedules/x", "/schedules/x/occurrences", "/jobs/sched-x")),
        *(("PUT", "/schedules/x"), ("PATCH", "/schedules/x"), ("DELETE", "/schedules/x"), ("POST", "/schedules/x/run")),
        *(("POST", "/schedules/preview"), ("PATCH", "/jobs/sched-x"), ("DELETE", "/jobs/sched-x")),
    ],
)
def test_without_a_token_nothing_is_told(api: Api, method: str, path: str) -> None:
    assert error(api.request(method, path, b"{}", Authorization="")) == (401, "unauthorized")


@pytest.mark.parametrize(("method", "path"), [("POST", "/schedules"), ("GET", "/schedules/x/run"), ("PUT", "/jobs/1")])
def test_other_methods_are_not_possible(api: Api, method: str, path: str) -> None:
    assert error(api.request(method, path, b"{}")) == (405, "method_not_allowed")
