"""``PATCH`` and ``DELETE``: pause, resume, edit, delete; each in the audit, each under ``If-Match``."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from jobs.models import Job
from schedules.models import AuditEntry, Occurrence, Schedule, Tombstone
from tests.parts import Api, at_once
from tests.schedules.calls import AT_NINE, EVERY_HOUR, error, faults, fire, make, message_at, row

pytestmark = pytest.mark.usefixtures("committed_db")


def actions(schedule_id: str) -> list[tuple[str, str]]:
    return list(AuditEntry.objects.filter(schedule_id=schedule_id).order_by("pk").values_list("action", "by"))


def mirror_of(schedule_id: str) -> PeriodicTask:
    return PeriodicTask.objects.get(kwargs__contains=schedule_id)


# -- pause and resume ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["/jobs", "/schedules"])
def test_pause_and_resume(api: Api, place: str) -> None:
    schedule_id = make(api, EVERY_HOUR, scheduleBackend="bullmq")
    address = f"{place}/{schedule_id}"

    paused = api.patch(address, {"action": "pause"})

    assert paused.json() == {
        "ok": True,
        "id": schedule_id,
        "backend": "bullmq",
        "enabled": False,
        "nextDueAt": None,
    }
    assert not mirror_of(schedule_id).enabled

    resumed = api.patch(address, {"action": "resume"}).json()

    assert (resumed["enabled"], resumed["nextDueAt"] is not None) == (True, True)
    assert mirror_of(schedule_id).enabled
    assert actions(schedule_id) == [(action, "bootstrap") for action in ("created", "paused", "resumed")]


def test_a_resume_does_not_move_the_anchor(api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    due = row(schedule_id).next_due_at

    api.patch(f"/jobs/{schedule_id}", {"action": "pause"})
    api.patch(f"/jobs/{schedule_id}", {"action": "resume"})

    assert row(schedule_id).next_due_at == due


def test_pausing_twice_changes_nothing(api: Api) -> None:
    schedule_id = make(api)
    first = api.patch(f"/jobs/{schedule_id}", {"action": "pause"})

    again = api.patch(f"/jobs/{schedule_id}", {"action": "pause"})

    assert (again.status_code, again["ETag"]) == (200, first["ETag"])
    assert len(actions(schedule_id)) == 2


def test_resuming_one_that_is_not_paused_changes_nothing(api: Api) -> None:
    schedule_id = make(api)

    assert api.patch(f"/jobs/{schedule_id}", {"action": "resume"})["ETag"] == '"1"'


# -- edit ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "column", "kept"),
    [
        ("name", "bins", "name", "bins"),
        ("jobType", "daily-crypto-brief", "job_type", "daily-crypto-brief"),
        ("input", {"a": [1]}, "input", {"a": [1]}),
        ("input", True, "input", True),
        ("input", None, "input", {}),
        ("priority", 1, "priority", 1),
        ("callbackUrl", "https://1.1.1.1/a", "callback_url", "https://1.1.1.1/a"),
        ("callbackEvents", ["job.progress", "job.failed"], "callback_events", "job.progress"),
        ("metadata", {"a": None}, "metadata", {"a": None}),
        ("concurrencyKey", "k", "concurrency_key", "k"),
        ("onConflict", "reject", "on_conflict", "reject"),
    ],
)
def test_every_field_can_be_edited(api: Api, field: str, value: Any, column: str, kept: Any) -> None:
    schedule_id = make(api, input=1)
    sent = {field: value, **({"input": {}} if field == "jobType" else {})}

    answer = api.patch(f"/jobs/{schedule_id}", sent)

    assert (answer.status_code, answer["ETag"]) == (200, '"2"')
    assert getattr(row(schedule_id), column) == kept
    assert type(getattr(row(schedule_id), column)) is type(kept)
    assert column in AuditEntry.objects.get(schedule_id=schedule_id, action="edited").details


@pytest.mark.parametrize("field", ["name", "callbackUrl", "callbackEvents", "metadata", "concurrencyKey"])
def test_null_empties_what_can_be_empty(api: Api, field: str) -> None:
    full = {
        "callbackUrl": "https://1.1.1.1/a",
        "callbackEvents": ["job.started"],
        "metadata": {"a": 1},
        "concurrencyKey": "k",
    }
    schedule_id = api.put("/schedules/bins", {"jobType": "ping", "schedule": AT_NINE, **full}).json()["jobId"]

    api.patch(f"/jobs/{schedule_id}", {field: None})

    assert not api.get("/schedules").json()["schedules"][0][field]
    assert row(schedule_id).version == 2


@pytest.mark.parametrize("field", ["action", "jobType", "priority", "onConflict", "schedule"])
def test_null_for_what_cannot_be_empty_is_refused(api: Api, field: str) -> None:
    schedule_id = make(api)

    assert set(faults(api.patch(f"/jobs/{schedule_id}", {field: None}))) == {(field,)}
    assert row(schedule_id).version == 1


@pytest.mark.parametrize(
    "sent",
    [
        *({"action": value} for value in ("stop", 1, "")),
        *({"name": value} for value in (1, "", "x" * 201, "a/b", "sched-1", " a", "preview", "\x00")),
        *({"jobType": value} for value in ("nothing", 1, "")),
        *({"priority": value} for value in (0, 11, "5", 1.5)),
        *({"callbackUrl": value} for value in ("ftp://1.1.1.1/", "http://127.0.0.1/", 1, "")),
        *({"callbackEvents": value} for value in ("job.started", ["nothing"])),
        *({"metadata": value} for value in ("text", [1])),
        *({"concurrencyKey": value} for value in (1, "", "\x00")),
        {"onConflict": "explode"},
        *({"schedule": value} for value in ({}, "daily", {"cron": "x"}, {"every": 5}, {"tz": "UTC"})),
    ],
    ids=repr,
)
def test_a_wrong_value_changes_nothing(api: Api, sent: Any) -> None:
    schedule_id = make(api)

    assert {place[0] for place in faults(api.patch(f"/jobs/{schedule_id}", sent))} == set(sent)
    assert row(schedule_id).version == 1


def test_all_faults_of_an_edit_are_told_at_once(api: Api) -> None:
    schedule_id = make(api)

    answer = api.patch(
        f"/jobs/{schedule_id}",
        {
            "name": "a/b",
            "jobType": "reminder",
            "callbackUrl": "ftp://1.1.1.1/",
            "schedule": {"cron": "x", "tz": "Mars"},
        },
    )

    assert faults(answer) == {
        ("callbackUrl",): "url_refused",
        ("name",): "invalid_name",
        ("input", "message"): "required",
        ("schedule", "tz"): "unknown_zone",
        ("schedule", "cron"): "invalid_cron",
    }


@pytest.mark.parametrize("sent", [{}, {"enabled": False}, {"every": 5}])
def test_a_body_that_changes_nothing_known_is_refused(api: Api, sent: Any) -> None:
    answer = api.patch(f"/jobs/{make(api)}", sent)

    assert faults(answer) == {(): "required"}
    assert "action" in message_at(answer)


@pytest.mark.parametrize("raw", [b"null", b"[]", b'"pause"', b"1"])
def test_a_body_that_is_no_object_is_refused(api: Api, raw: bytes) -> None:
    assert faults(api.patch(f"/jobs/{make(api)}", raw)) == {(): "invalid_type"}


def test_unknown_fields_beside_known_ones_are_named(api: Api) -> None:
    answer = api.patch(f"/jobs/{make(api)}", {"action": "pause", "why": 1, "schedule": {**AT_NINE, "zone": "UTC"}})

    assert answer.json()["warnings"] == [
        "Unknown field 'why' is ignored.",
        "Unknown field 'schedule.zone' is ignored.",
    ]


def test_an_edit_that_changes_nothing_keeps_the_version(api: Api) -> None:
    fields = {"input": {"a": 1, "b": 2}, "priority": 3, "metadata": {"c": 1}, "callbackUrl": "https://1.1.1.1/"}
    schedule_id = make(api, **fields)

    answer = api.patch(f"/jobs/{schedule_id}", {**fields, "input": {"b": 2, "a": 1}, "schedule": AT_NINE})

    assert (answer.status_code, answer["ETag"]) == (200, '"1"')
    assert len(actions(schedule_id)) == 1


def test_an_edit_of_the_period_counts_from_now(api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)

    api.patch(f"/jobs/{schedule_id}", {"schedule": {"everySeconds": 60}})

    due = row(schedule_id).next_due_at
    assert due is not None
    assert abs(due - timezone.now() - timedelta(seconds=60)) < timedelta(seconds=10)


def test_an_edit_of_a_rule_keeps_the_anchor(api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    due = row(schedule_id).next_due_at

    api.patch(f"/jobs/{schedule_id}", {"schedule": {**EVERY_HOUR, "misfire": "skip"}})

    assert (row(schedule_id).misfire, row(schedule_id).next_due_at) == ("skip", due)


def test_a_start_that_has_passed_may_stay(api: Api) -> None:
    start = timezone.now().replace(microsecond=0) + timedelta(seconds=60)
    schedule_id = make(api, {**EVERY_HOUR, "runAt": start.isoformat()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("schedules.edits.timezone.now", lambda: datetime(2090, 1, 1, tzinfo=UTC))

        answer = api.patch(
            f"/jobs/{schedule_id}", {"schedule": {**EVERY_HOUR, "runAt": start.isoformat(), "overlap": "allow"}}
        )

    assert (answer.status_code, row(schedule_id).overlap, row(schedule_id).first_at) == (200, "allow", start)


def test_an_edit_in_a_pause_stays_in_the_pause(api: Api) -> None:
    schedule_id = make(api)
    api.patch(f"/jobs/{schedule_id}", {"action": "pause"})

    answer = api.patch(f"/jobs/{schedule_id}", {"schedule": EVERY_HOUR})

    assert (answer.json()["enabled"], answer.json()["nextDueAt"]) == (False, None)


def test_an_edit_and_a_pause_in_one_call(api: Api) -> None:
    schedule_id = make(api)

    answer = api.patch(f"/jobs/{schedule_id}", {"priority": 1, "action": "pause"}, If_Match='"1"')

    assert (answer.status_code, answer["ETag"], answer.json()["enabled"]) == (200, '"3"', False)
    assert row(schedule_id).priority == 1


def test_a_name_is_given_once(api: Api) -> None:
    api.put("/schedules/bins", {"jobType": "ping", "schedule": AT_NINE})

    assert error(api.patch(f"/jobs/{make(api)}", {"name": "bins"})) == (409, "name_taken")


def test_a_name_that_a_person_deleted_is_not_given_by_renaming(api: Api) -> None:
    Tombstone.objects.create(name="bins", by="ana", at=timezone.now())

    assert error(api.patch(f"/jobs/{make(api)}", {"name": "bins"})) == (409, "tombstoned")


def test_what_is_edited_fires_as_it_is_then(api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)

    api.patch(f"/jobs/{schedule_id}", {"input": {"new": True}, "priority": 2})
    fire(schedule_id)

    assert (Job.objects.get().input, Job.objects.get().priority) == ({"new": True}, 2)


# -- If-Match -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ['"1"', "*", ' "1" ', '"7", "1"', '"7","1" , "9"'])
def test_the_version_that_was_read_may_be_changed(api: Api, wanted: str) -> None:
    answer = api.patch(f"/jobs/{make(api)}", {"action": "pause"}, If_Match=wanted)

    assert (answer.status_code, answer["ETag"]) == (200, '"2"')


@pytest.mark.parametrize("wanted", ['"2"', "1", 'W/"1"', '"0", "2"', "nonsense"])
def test_another_version_is_not_changed(api: Api, wanted: str) -> None:
    schedule_id = make(api)

    for answer in (
        api.patch(f"/jobs/{schedule_id}", {"action": "pause"}, If_Match=wanted),
        api.patch(f"/jobs/{schedule_id}", {"priority": 1}, If_Match=wanted),
        api.delete(f"/jobs/{schedule_id}", If_Match=wanted),
    ):
        assert error(answer) == (412, "precondition_failed")
        assert '"1"' in answer.json()["details"]
    assert row(schedule_id).version == 1


def test_of_several_edits_of_one_version_one_is_made(api: Api) -> None:
    schedule_id = make(api)

    def edit(priority: int) -> Any:
        return api.patch(f"/jobs/{schedule_id}", {"priority": priority}, If_Match='"1"')

    outcomes: list[Any] = at_once([partial(edit, priority) for priority in (1, 2, 3, 4)])

    assert sorted(answer.status_code for answer in outcomes) == [200, 412, 412, 412]
    assert row(schedule_id).version == 2


# -- delete -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["/jobs", "/schedules"])
def test_delete(api: Api, place: str) -> None:
    schedule_id = make(api, scheduleBackend="bullmq")
    address = f"{place}/{schedule_id}"

    answer = api.delete(address, If_Match='"1"')

    assert answer.json() == {"ok": True, "id": schedule_id, "removed": True, "backend": "bullmq"}
    assert not PeriodicTask.objects.exists()
    assert api.get("/schedules").json() == {"schedules": []}
    for gone in (api.get(address), api.delete(address), api.patch(address, {"action": "pause"})):
        assert error(gone) == (404, "not_found")
    assert error(api.post(f"/schedules/{schedule_id}/run")) == (404, "not_found")
    assert actions(schedule_id)[-1] == ("deleted", "bootstrap")


def test_what_is_deleted_fires_no_more(api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    api.delete(f"/jobs/{schedule_id}")

    fire(schedule_id)

    assert (Job.objects.count(), Occurrence.objects.count()) == (0, 0)


def test_a_name_that_a_program_deleted_can_be_made_again(api: Api) -> None:
    made = {"jobType": "ping", "schedule": AT_NINE}
    api.put("/schedules/bins", made)
    api.delete("/schedules/bins")

    assert api.put("/schedules/bins", made).status_code == 201
    assert Schedule.objects.kept().count() == 1


# -- jobs are not schedules ---------------------------------------------------------------------------------------


def test_a_job_is_not_changed(api: Api) -> None:
    job_id = api.post("/jobs", {"jobType": "ping"}).json()["jobId"]

    assert error(api.patch(f"/jobs/{job_id}", {"action": "pause"})) == (409, "not_a_schedule")


@pytest.mark.parametrize("reference", ["999", "x", "sched-nothing"])
def test_nothing_is_not_changed(api: Api, reference: str) -> None:
    assert error(api.patch(f"/jobs/{reference}", {"action": "pause"})) == (404, "not_found")
    assert error(api.patch(f"/schedules/{reference}", {"action": "pause"})) == (404, "not_found")
