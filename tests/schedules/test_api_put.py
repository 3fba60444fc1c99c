"""``PUT /schedules/:name``: made once, replaced, left alone when it is the same; and the names that people deleted."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from jobs.models import Job
from schedules.firing import fire_due
from schedules.models import AuditEntry, Schedule, Tombstone
from schedules.services import delete_schedule
from tests.parts import Api, at_once
from tests.schedules.calls import EVERY_HOUR, body, error, faults, row

pytestmark = pytest.mark.usefixtures("committed_db")

BINS = "/schedules/bins"


def the_schedule() -> Schedule:
    return Schedule.objects.kept().get()


def in_an_hour() -> datetime:
    return timezone.now().replace(microsecond=0) + timedelta(hours=1)


# -- make and replace ---------------------------------------------------------------------------------------------


def test_a_name_is_made(api: Api) -> None:
    answer = api.put(BINS, body(scheduleBackend="bullmq"))

    schedule = the_schedule()
    assert (answer.status_code, answer["ETag"]) == (201, '"1"')
    told = answer.json()
    assert told.pop("nextDueAt") is not None
    assert told == {
        "jobId": schedule.public_id,
        "name": "bins",
        "status": "queued",
        "backend": "bullmq",
        "scheduled": True,
        "enabled": True,
    }


def test_the_same_body_twice_is_one_schedule_that_is_left_alone(api: Api) -> None:
    first = api.put(BINS, body(EVERY_HOUR, metadata={"a": 1}))

    again = api.put(BINS, body(EVERY_HOUR, metadata={"a": 1}))

    assert (again.status_code, again["ETag"], again.json()) == (200, '"1"', first.json())
    assert AuditEntry.objects.count() == 1


def test_another_body_replaces_all_of_it(api: Api) -> None:
    first = api.put(BINS, body(metadata={"a": 1}, priority=1, callbackEvents=["job.started"])).json()

    answer = api.put(BINS, body(EVERY_HOUR, input=5, scheduleBackend="bullmq"))

    assert (answer.status_code, answer["ETag"], answer.json()["jobId"]) == (200, '"2"', first["jobId"])
    schedule = the_schedule()
    assert (schedule.metadata, schedule.priority, schedule.callback_events) == (None, 5, "")
    assert (schedule.cron, schedule.every_seconds, schedule.input) == ("", 3600, 5)
    assert answer.json()["backend"] == schedule.backend_alias == "bullmq"


def test_one_that_is_paused_stays_so(api: Api) -> None:
    api.put(BINS, body())
    api.patch(BINS, {"action": "pause"})

    answer = api.put(BINS, body(EVERY_HOUR))

    assert (answer.json()["enabled"], answer.json()["nextDueAt"]) == (False, None)


def test_one_time_by_name(api: Api) -> None:
    moment = in_an_hour()
    sent = body({"runAt": moment.isoformat()})

    assert api.put(BINS, sent).status_code == 201

    assert the_schedule().next_due_at == moment
    assert api.get("/schedules").json()["schedules"][0]["description"].startswith("Once, at ")


def test_one_time_that_ends_before_it_comes_never_fires(api: Api) -> None:
    sent = body({"runAt": (in_an_hour() + timedelta(hours=1)).isoformat(), "endAt": in_an_hour().isoformat()})

    assert faults(api.put(BINS, sent)) == {("schedule", "endAt"): "never_fires"}


@pytest.mark.parametrize("more", [{}, EVERY_HOUR], ids=["once", "repeats"])
def test_the_same_body_is_the_same_also_when_its_time_has_passed(
    api: Api, monkeypatch: pytest.MonkeyPatch, more: Any
) -> None:
    moment = in_an_hour()
    sent = body({"runAt": moment.isoformat(), **more})
    first = api.put(BINS, sent).json()
    fire_due(moment + timedelta(seconds=1))
    later = moment + timedelta(minutes=5)
    for module in ("schedules.submissions", "schedules.services"):
        monkeypatch.setattr(f"{module}.timezone.now", lambda: later)

    answer = api.put(BINS, sent)

    assert (answer.status_code, answer["ETag"], answer.json()["jobId"]) == (200, '"1"', first["jobId"])
    assert Job.objects.count() == 1


def test_a_new_time_that_has_passed_is_refused(api: Api) -> None:
    api.put(BINS, body({"runAt": in_an_hour().isoformat()}))

    answer = api.put(BINS, body({"runAt": "2001-01-01T00:00:00Z"}))

    assert faults(answer) == {("schedule", "runAt"): "invalid_date"}


def test_several_clients_at_the_same_instant_make_one(api: Api) -> None:
    outcomes: list[Any] = at_once([lambda: api.put(BINS, body())] * 4)

    assert sorted(answer.status_code for answer in outcomes) == [200, 200, 200, 201]
    assert {answer.json()["jobId"] for answer in outcomes} == {the_schedule().public_id}


def test_two_names_are_two_schedules(api: Api) -> None:
    api.put(BINS, body())
    api.put("/schedules/Bins", body())

    assert Schedule.objects.count() == 2


# -- faults -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["daily brief", "ümläut-⏰", "a" * 200, "a.b:c,d", "100%", "sched", "jobs"])
def test_names_that_may_be(api: Api, name: str) -> None:
    address = f"/schedules/{quote(name, safe='')}"

    assert api.put(address, body()).status_code == 201
    assert api.get(address).json()["scheduleName"] == name
    assert api.delete(address).status_code == 200


@pytest.mark.parametrize("name", ["sched-1", "sysd-1", "a" * 201, " a", "a ", "a\nb", "a\x00b", "preview", "\u202e"])
def test_names_that_may_not_be(api: Api, name: str) -> None:
    assert faults(api.put(f"/schedules/{quote(name, safe='')}", body())) == {("name",): "invalid_name"}
    assert Schedule.objects.count() == 0


def test_a_schedule_is_needed(api: Api) -> None:
    assert faults(api.put(BINS, {"jobType": "ping"})) == {("schedule",): "required"}
    assert faults(api.put(BINS, body({}))) == {("schedule",): "required"}
    assert faults(api.put(BINS, body({"every": 5}))) == {("schedule",): "invalid_value"}


def test_all_faults_are_told_at_once(api: Api) -> None:
    answer = api.put(BINS, {"priority": 99, "schedule": {"cron": "61 * * * *", "tz": "Mars"}})

    assert faults(answer) == {
        ("jobType",): "required",
        ("priority",): "too_big",
        ("schedule", "tz"): "unknown_zone",
        ("schedule", "cron"): "invalid_cron",
    }


def test_the_backend_stays(api: Api) -> None:
    api.put(BINS, body())

    assert error(api.put(BINS, body(scheduleBackend="systemd"))) == (409, "backend_fixed")
    assert the_schedule().backend == "celery"


# -- If-Match -----------------------------------------------------------------------------------------------------


def test_the_version_that_was_read_may_be_replaced(api: Api) -> None:
    api.put(BINS, body())

    assert api.put(BINS, body(EVERY_HOUR), If_Match='"1"')["ETag"] == '"2"'
    assert error(api.put(BINS, body(), If_Match='"1"')) == (412, "precondition_failed")


@pytest.mark.parametrize("wanted", ['"1"', "*"])
def test_what_is_not_there_fits_no_version(api: Api, wanted: str) -> None:
    assert error(api.put(BINS, body(), If_Match=wanted)) == (412, "precondition_failed")
    assert Schedule.objects.count() == 0


# -- tombstones ---------------------------------------------------------------------------------------------------


def deleted_by_ana(api: Api) -> None:
    schedule_id = api.put(BINS, body()).json()["jobId"]
    delete_schedule(row(schedule_id).pk, by="ana", in_person=True)


def test_what_a_person_deleted_is_not_made_again(api: Api) -> None:
    deleted_by_ana(api)

    answer = api.put(BINS, body())

    assert error(answer) == (409, "tombstoned")
    assert "ana deleted the schedule 'bins'" in answer.json()["details"]
    assert "restore=true" in answer.json()["details"]


def test_what_a_person_deleted_is_restored_on_demand(api: Api) -> None:
    deleted_by_ana(api)

    assert api.put(f"{BINS}?restore=true", body()).status_code == 201
    assert not Tombstone.objects.exists()
    assert api.put(BINS, body()).status_code == 200


@pytest.mark.parametrize("query", ["restore=false", "restore=", "restore=1"])
def test_other_words_restore_nothing(api: Api, query: str) -> None:
    deleted_by_ana(api)

    assert error(api.put(f"{BINS}?{query}", body())) == (409, "tombstoned")


def test_a_tombstone_is_of_a_name_and_not_of_the_rest(api: Api) -> None:
    deleted_by_ana(api)

    assert api.put("/schedules/other", body()).status_code == 201
    assert api.post("/jobs", body()).status_code == 202


def test_a_name_that_is_in_use_needs_no_restoring(api: Api) -> None:
    api.put(BINS, body())

    assert api.put(f"{BINS}?restore=true", body()).status_code == 200


def test_the_year_of_the_last_time_is_no_problem(api: Api) -> None:
    sent = body({"runAt": datetime(9999, 12, 31, 23, 59, tzinfo=UTC).isoformat()})

    assert api.put(BINS, sent).status_code == 201
    assert api.put(BINS, sent).status_code == 200
