"""A token that is limited to its own: what it sees and changes, and that the rest is not there for it."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs.listing import JobFilter, jobs_below
from jobs.models import Artifact, Job
from pirunner.callers import Scope
from schedules import views
from schedules.edits import check_edit
from tests.parts import Api
from tests.pirunner.tokens.making import token
from webhooks.models import Delivery, Event
from webhooks.ownership import EVENTS_AT_ONCE

pytestmark = pytest.mark.usefixtures("committed_db")
HOURLY = {"jobType": "ping", "schedule": {"everySeconds": 3600}}
WRITE = (Scope.JOBS_READ, Scope.JOBS_WRITE, Scope.SCHEDULES_WRITE, Scope.DELIVERIES_WRITE)


@pytest.fixture
def mine() -> dict[str, str]:
    return token(*WRITE, label="mine", own_only=True)


def job(api: Api, **header: str) -> str:
    return str(api.post("/jobs", {"jobType": "ping"}, **header).json()["jobId"])


def delivery(job_id: str, state: str = "dead") -> Delivery:
    return Delivery.objects.create(
        event_id=f"e{job_id}", job_id=int(job_id), event="job.completed", url="https://agent.example/", body="{}",
        host="agent.example", state=state, created_at=timezone.now(),
    )  # fmt: skip


def event(job_id: str) -> Event:
    return Event.objects.create(job_id=int(job_id), kind="job.completed", at=timezone.now(), payload="{}")


def test_its_lists_hold_its_own_only(api: Api, mine: dict[str, str]) -> None:
    theirs, own = job(api), job(api, **mine)
    api.put("/schedules/theirs", HOURLY)
    api.put("/schedules/own", HOURLY, **mine)
    delivery(theirs), delivery(own)

    assert [each["id"] for each in api.get("/jobs", **mine).json()] == [own]
    assert [each["name"] for each in api.get("/schedules", **mine).json()["schedules"]] == ["own"]
    assert [each["jobId"] for each in api.get("/deliveries", **mine).json()["deliveries"]] == [own]
    assert {each["id"] for each in api.get("/jobs").json()} == {theirs, own}


@pytest.mark.parametrize(
    ("method", "place", "body"),
    [
        ("GET", "/jobs/{job}", None),
        ("GET", "/jobs/{job}?wait=1", None),
        ("GET", "/jobs/{job}/log", None),
        ("GET", "/jobs/{job}/log?wait=1", None),
        ("GET", "/jobs/{job}/events", None),
        ("GET", "/jobs/{job}/artifacts", None),
        ("GET", "/artifacts/{artifact}", None),
        ("POST", "/jobs/{job}/cancel", {}),
        ("POST", "/jobs/{job}/retry", {}),
        ("DELETE", "/jobs/{job}", None),
        ("PATCH", "/jobs/{job}", {"action": "pause"}),
        ("GET", "/jobs/{schedule}", None),
        ("PATCH", "/jobs/{schedule}", {"action": "pause"}),
        ("DELETE", "/jobs/{schedule}", None),
        ("POST", "/jobs/{schedule}/cancel", {}),
        ("GET", "/schedules/theirs", None),
        ("PATCH", "/schedules/theirs", {"action": "pause"}),
        ("DELETE", "/schedules/theirs", None),
        ("POST", "/schedules/theirs/run", {}),
        ("GET", "/schedules/theirs/occurrences", None),
        ("GET", "/deliveries/{delivery}", None),
        ("POST", "/deliveries/{delivery}/replay", {}),
    ],
)
def test_what_is_others_is_not_there(api: Api, mine: dict[str, str], method: str, place: str, body: Any) -> None:
    theirs = job(api)
    artifact = Artifact.objects.create(
        job_id=int(theirs), run=1, name="a", media_type="text/plain", size=1, sha256="0" * 64, path="a",
        created_at=timezone.now(),
    )  # fmt: skip
    schedule = api.put("/schedules/theirs", HOURLY).json()["jobId"]
    ids = {"job": theirs, "artifact": artifact.pk, "schedule": schedule, "delivery": delivery(theirs).pk}
    before = list(Job.objects.values_list("pk", "state"))

    answer = api._send(method, place.format(**ids), body, mine)

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert list(Job.objects.values_list("pk", "state")) == before
    assert Delivery.objects.get().state == "dead"
    assert api.get("/schedules/theirs").json()["state"] == "scheduled"


def test_a_name_of_others_cannot_be_taken_over(api: Api, mine: dict[str, str]) -> None:
    api.put("/schedules/theirs", HOURLY)

    answer = api.put("/schedules/theirs", {**HOURLY, "input": {"taken": "over"}}, **mine)

    assert (answer.status_code, answer.json()["error"]) == (409, "name_taken")
    assert api.get("/schedules/theirs").json()["data"]["input"] == {}


def test_it_cannot_cancel_others_by_their_concurrency_key(api: Api, mine: dict[str, str]) -> None:
    body = {"jobType": "ping", "concurrencyKey": "k", "onConflict": "replace"}
    api.post("/jobs", body)

    assert api.post("/jobs", body, **mine).status_code == 403
    assert Job.objects.get().state == "waiting"


@pytest.mark.parametrize(
    ("made", "edit"),
    [
        ({"concurrencyKey": "k"}, {"onConflict": "replace"}),
        ({"onConflict": "replace"}, {"concurrencyKey": "k"}),
        ({"concurrencyKey": "k"}, {"schedule": {"everySeconds": 3600, "overlap": "replace"}}),
    ],
)
def test_it_can_neither_make_nor_edit_a_schedule_so_that_it_cancels_others(
    api: Api, mine: dict[str, str], made: dict[str, Any], edit: dict[str, Any]
) -> None:
    answer = api.put("/schedules/own", {**HOURLY, **made}, **mine)

    assert (answer.status_code, api.patch("/schedules/own", edit, **mine).status_code) == (201, 403)
    assert api.put("/schedules/other", {**HOURLY, **made, **edit}, **mine).status_code == 403
    assert api.patch("/schedules/own", {"priority": 3}, **mine).status_code == 200


def test_its_events_are_its_own_and_the_cursor_passes_over_the_others(api: Api, mine: dict[str, str]) -> None:
    theirs, own = job(api), job(api, **mine)
    Event.objects.all().delete()
    Event.objects.bulk_create(
        Event(job_id=int(theirs), kind="job.completed", at=timezone.now(), payload="{}")
        for _ in range(EVENTS_AT_ONCE + 10)
    )
    last = event(own)

    page = api.get("/events?after=0", **mine).json()

    assert [each["jobId"] for each in page["events"]] == [own]
    assert page["next"] == last.seq
    assert api.get(f"/events?after={page['next']}", **mine).json() == {"events": [], "next": last.seq}


def test_a_page_of_its_events_ends_at_its_limit_and_the_next_goes_on(api: Api, mine: dict[str, str]) -> None:
    own = job(api, **mine)
    Event.objects.all().delete()
    made = [event(own).seq for _ in range(3)]

    first = api.get("/events?after=0&limit=2", **mine).json()
    second = api.get(f"/events?after={first['next']}&limit=2", **mine).json()

    assert [each["seq"] for each in (*first["events"], *second["events"])] == made


def test_a_range_replays_its_own_only(api: Api, mine: dict[str, str]) -> None:
    theirs, own = delivery(job(api)), delivery(job(api, **mine))

    answer = api.post("/deliveries/replay", {"state": "dead"}, **mine)

    assert answer.json() == {"replayed": 1}
    theirs.refresh_from_db()
    own.refresh_from_db()
    assert (theirs.state, own.state) == ("dead", "pending")


def test_deliveries_page_past_those_of_others(api: Api, mine: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.ownership.MOST_DELIVERIES", 2)
    own = job(api, **mine)
    wanted = delivery(own)
    theirs = job(api)
    for _ in range(4):
        delivery(theirs)

    found, place = [], "/deliveries"
    while place:
        answer = api.get(place, **mine)
        found += answer.json()["deliveries"]
        place = answer.headers.get("Link", "").partition(">")[0].lstrip("<")

    assert [each["id"] for each in found] == [str(wanted.pk)]


def test_what_is_about_everybody_is_refused(api: Api, mine: dict[str, str]) -> None:
    assert api.get("/installer/status", **mine).status_code == 403


def test_its_list_is_found_by_an_index_of_its_own() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by what is in the table")
    for wanted in (JobFilter(limit=50, only="mine"), JobFilter(limit=50, only="mine", job_type="ping")):
        assert "job_of_owner" in jobs_below(wanted)[:51].explain()


def test_two_edits_that_are_harmless_alone_do_not_add_up(
    api: Api, mine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put("/schedules/own", HOURLY, **mine)

    def check_while_another_edits(*checked: Any) -> None:
        check_edit(*checked)
        monkeypatch.undo()
        assert api.patch("/schedules/own", {"onConflict": "queue", "concurrencyKey": "all"}, **mine).status_code == 200

    monkeypatch.setattr(views, "check_edit", check_while_another_edits)

    assert api.patch("/schedules/own", {"onConflict": "replace"}, **mine).status_code == 412
