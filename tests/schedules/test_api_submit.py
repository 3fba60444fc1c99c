"""``POST /jobs`` and ``POST /jobs/batch`` with what recurs: what is accepted, what is refused, what is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import IdempotencyKey, Job
from pirunner.doorbell import Ring
from schedules.models import AuditEntry, Schedule
from tests.parts import Api, at_once
from tests.schedules.calls import AT_NINE, EVERY_HOUR, body, error, faults, make, message_at, row

pytestmark = pytest.mark.usefixtures("committed_db")


def the_schedule() -> Schedule:
    return Schedule.objects.get()


def in_an_hour() -> datetime:
    return timezone.now().replace(microsecond=0) + timedelta(hours=1)


# -- what is accepted ---------------------------------------------------------------------------------------------


def test_what_recurs_is_a_schedule_and_no_job(api: Api, rings: list[Ring]) -> None:
    answer = api.post("/jobs", body(EVERY_HOUR))

    schedule = the_schedule()
    assert answer.status_code == 202
    assert answer.json() == {
        "jobId": schedule.public_id,
        "status": "queued",
        "backend": "celery",
        "scheduled": True,
    }
    assert schedule.public_id.startswith("sched-")
    assert (Job.objects.count(), rings) == (0, [])
    assert AuditEntry.objects.get(schedule_id=schedule.public_id).action == "created"


def test_an_interval_is_first_due_one_period_from_now(api: Api) -> None:
    make(api, EVERY_HOUR)

    due = the_schedule().next_due_at
    assert due is not None
    assert abs(due - timezone.now() - timedelta(hours=1)) < timedelta(seconds=10)


def test_a_cron_is_read_in_its_zone(api: Api) -> None:
    make(api, AT_NINE)

    due = the_schedule().next_due_at
    assert due is not None
    assert f"{due.astimezone(UTC):%H:%M}" == "03:30"
    assert the_schedule().zone == "Asia/Kolkata"


def test_a_cron_without_a_zone_is_read_in_the_owners(api: Api, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"

    make(api, {"cron": "0 9 * * *"})

    assert the_schedule().zone == "Europe/Berlin"


def test_run_at_beside_a_repeat_is_its_first_possible_time(api: Api) -> None:
    start = in_an_hour() + timedelta(days=400)

    make(api, {"everySeconds": 60, "runAt": start.isoformat()})

    assert the_schedule().next_due_at == start


def test_every_rule_is_kept(api: Api) -> None:
    schedule = {
        "cron": "*/5 * * * *",
        "tz": "Europe/Berlin",
        "runAt": "2090-01-01T00:00:00Z",
        "endAt": "2091-01-01T00:00:00+01:00",
        "misfire": "all",
        "overlap": "replace",
        "quietHours": {"from": "22:00", "to": "07:00"},
        "jitterSeconds": 30,
    }

    answer = api.post("/jobs", body(schedule))

    kept = the_schedule()
    assert "warnings" not in answer.json()
    assert (kept.misfire, kept.overlap, kept.jitter_seconds) == ("all", "replace", 30)
    assert (kept.quiet_from, kept.quiet_to) == ("22:00", "07:00")
    assert kept.first_at == datetime(2090, 1, 1, tzinfo=UTC)
    assert kept.end_at == datetime(2090, 12, 31, 23, tzinfo=UTC)
    assert kept.timing == schedule


def test_every_other_field_is_kept(api: Api) -> None:
    fields = {
        "input": {"message": "bins"},
        "priority": 2,
        "callbackUrl": "https://1.1.1.1/hook",
        "callbackEvents": ["schedule.missed", "job.started", "job.completed"],
        "metadata": {"requestedBy": "agent-main"},
        "concurrencyKey": "bins",
        "onConflict": "replace",
    }

    make(api, jobType="reminder", **fields)

    kept = the_schedule()
    assert (kept.job_type, kept.input, kept.priority) == ("reminder", {"message": "bins"}, 2)
    assert (kept.callback_url, kept.metadata) == (fields["callbackUrl"], fields["metadata"])
    assert kept.callback_events.split() == ["schedule.missed", "job.started"]
    assert (kept.concurrency_key, kept.on_conflict, kept.owner) == ("bins", "replace", "bootstrap")


def test_bullmq_reads_back_as_bullmq(api: Api) -> None:
    answer = api.post("/jobs", body(scheduleBackend="bullmq"))

    schedule_id = answer.json()["jobId"]
    assert answer.json()["backend"] == "bullmq"
    assert api.get(f"/jobs/{schedule_id}").json()["data"]["backend"] == "bullmq"
    assert api.get("/schedules").json()["schedules"][0]["backend"] == "bullmq"


def test_unknown_fields_are_named_wherever_they_are(api: Api) -> None:
    schedule = {**AT_NINE, "timezone": "Europe/Berlin", "quietHours": {"from": "22:00", "to": "07:00", "days": [6]}}

    answer = api.post("/jobs", {**body(schedule), "name": "brief"})

    assert answer.json()["warnings"] == [
        "Unknown field 'name' is ignored.",
        "Unknown field 'schedule.timezone' is ignored.",
        "Unknown field 'schedule.quietHours.days' is ignored.",
    ]


# -- what is refused ----------------------------------------------------------------------------------------------


def refused(api: Api, schedule: Any, **fields: Any) -> Any:
    answer = api.post("/jobs", body(schedule, **fields))
    assert Schedule.objects.count() == Job.objects.count() == 0
    return answer


@pytest.mark.parametrize(
    ("schedule", "place", "code"),
    [
        ({"cron": "0 9 * * *", "everySeconds": 60}, "cron", "both_repeats"),
        ({"cron": "0 0 30 2 *"}, "cron", "never_fires"),
        ({"everySeconds": 0.99}, "everySeconds", "too_small"),
        ({"everySeconds": 0}, "everySeconds", "too_small"),
        ({"everySeconds": -5}, "everySeconds", "too_small"),
        ({"everySeconds": 1e300}, "everySeconds", "too_big"),
        ({"everySeconds": 300_000_000_000}, "everySeconds", "too_big"),
        ({"everySeconds": "60"}, "everySeconds", "invalid_type"),
        ({"everySeconds": "NaN"}, "everySeconds", "invalid_type"),
        ({"everySeconds": True}, "everySeconds", "invalid_type"),
        ({"cron": "0 9 * * *", "tz": "Europe/Berln"}, "tz", "unknown_zone"),
        ({"cron": "0 9 * * *", "tz": "../etc/passwd"}, "tz", "unknown_zone"),
        ({"cron": "0 9 * * 1-5 2030"}, "cron", "invalid_cron"),
        ({"cron": "@daily"}, "cron", "invalid_cron"),
        ({"cron": "every day"}, "cron", "invalid_cron"),
        ({"cron": "\x00 9 * * *"}, "cron", "invalid_cron"),
        ({"cron": ""}, "cron", "too_small"),
        ({"cron": "0 9 * * *", "endAt": "2001-01-01T00:00:00Z"}, "endAt", "invalid_date"),
        ({"everySeconds": 86400, "endAt": "soon"}, "endAt", "invalid_date"),
        ({"cron": "0 9 * * *", "runAt": "2001-01-01T00:00:00Z"}, "runAt", "invalid_date"),
        ({"cron": "0 9 * * *", "quietHours": {"from": "22:00", "to": "22:00"}}, "quietHours", "invalid_time"),
        ({"cron": "0 9 * * *", "quietHours": {"from": "22", "to": "7"}}, "quietHours", "invalid_time"),
        ({"cron": "0 9 * * *", "jitterSeconds": -1}, "jitterSeconds", "too_small"),
        ({"cron": "0 9 * * *", "jitterSeconds": 3601}, "jitterSeconds", "too_big"),
        ({"cron": "0 9 * * *", "misfire": "twice"}, "misfire", "invalid_enum"),
        ({"cron": "0 9 * * *", "overlap": None}, "overlap", "invalid_enum"),
    ],
)
def test_a_fault_is_named_with_its_place(api: Api, schedule: Any, place: str, code: str) -> None:
    assert faults(refused(api, schedule)) == {("schedule", place): code}


def test_quiet_hours_need_both_ends(api: Api) -> None:
    answer = refused(api, {"cron": "0 9 * * *", "quietHours": {"from": "22:00"}})

    assert faults(answer) == {("schedule", "quietHours", "to"): "required"}


def test_a_bad_cron_is_told_by_field_and_what_may_stand_there(api: Api) -> None:
    sentence = message_at(refused(api, {"cron": "0 25 * * *"}), "schedule", "cron")

    assert sentence.startswith("Field 2 of the cron, the hour, cannot be '25': it takes 0 to 23")


def test_an_unknown_zone_is_told_with_the_nearest_names(api: Api) -> None:
    answer = refused(api, {"cron": "0 9 * * *", "tz": "Asia/Calcuta"})

    assert "Asia/Calcutta" in message_at(answer, "schedule", "tz")


def test_an_end_before_the_first_time_never_fires(api: Api) -> None:
    end = in_an_hour().isoformat()

    assert faults(refused(api, {"everySeconds": 7200, "endAt": end})) == {("schedule", "endAt"): "never_fires"}
    assert "endAt" in message_at(refused(api, {"everySeconds": 7200, "endAt": end}), "schedule", "endAt")


def test_all_faults_are_told_at_once(api: Api) -> None:
    answer = refused(api, {"cron": "61 * * * *", "tz": "Mars"}, jobType="reminder", callbackUrl="ftp://1.1.1.1/")

    assert faults(answer) == {
        ("input", "message"): "required",
        ("callbackUrl",): "url_refused",
        ("schedule", "tz"): "unknown_zone",
        ("schedule", "cron"): "invalid_cron",
    }


def test_all_faults_are_told_at_once_also_when_the_shape_of_another_field_is_wrong(api: Api) -> None:
    answer = refused(api, {"cron": "61 * * * *", "tz": "Mars", "endAt": "soon"}, jobType="reminder", priority="high")

    assert faults(answer) == {
        ("priority",): "invalid_type",
        ("input", "message"): "required",
        ("schedule", "tz"): "unknown_zone",
        ("schedule", "cron"): "invalid_cron",
        ("schedule", "endAt"): "invalid_date",
    }


@pytest.mark.parametrize(
    "schedule",
    [
        {"everySecond": 60},
        {"runat": "2090-01-01T00:00Z"},
        {"tz": "Europe/Berlin", "every": 60},
        {"crontab": "* * * * *"},
    ],
)
def test_a_misspelt_time_does_not_run_the_job_now(api: Api, schedule: Any) -> None:
    answer = refused(api, schedule)

    assert faults(answer) == {("schedule",): "invalid_value"}
    assert "everySeconds" in message_at(answer, "schedule")


def test_events_that_do_not_exist_cannot_be_asked_for(api: Api) -> None:
    answer = refused(api, AT_NINE, callbackEvents=["job.started", "job.exploded"])

    assert faults(answer) == {("callbackEvents", 1): "invalid_enum"}


@pytest.mark.parametrize("schedule", [None, {}])
def test_the_systemd_backend_needs_a_schedule(api: Api, schedule: Any) -> None:
    assert faults(refused(api, schedule, scheduleBackend="systemd")) == {("schedule",): "required"}


# -- sent twice ---------------------------------------------------------------------------------------------------


def test_a_repetition_is_answered_as_the_first_time(api: Api) -> None:
    first = api.post("/jobs", body(), Idempotency_Key="k").json()

    again = api.post("/jobs", body(), Idempotency_Key="k")

    assert (again.status_code, again.json()) == (200, {**first, "deduplicated": True})
    assert Schedule.objects.count() == 1


def test_a_known_key_is_answered_before_the_time_is_looked_at(api: Api) -> None:
    sent = body({"everySeconds": 60, "runAt": in_an_hour().isoformat()}, idempotencyKey="client-key-1")
    api.post("/jobs", sent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("schedules.submissions.timezone.now", lambda: datetime(2090, 1, 1, tzinfo=UTC))
        IdempotencyKey.objects.update(expires_at=datetime(2091, 1, 1, tzinfo=UTC))

        assert api.post("/jobs", sent).status_code == 200


def test_another_body_under_the_same_key_is_refused(api: Api) -> None:
    api.post("/jobs", body(), Idempotency_Key="k")

    assert error(api.post("/jobs", body(EVERY_HOUR), Idempotency_Key="k")) == (422, "idempotency_mismatch")
    assert error(api.post("/jobs", {"jobType": "ping"}, Idempotency_Key="k")) == (422, "idempotency_mismatch")
    assert (Schedule.objects.count(), Job.objects.count()) == (1, 0)


def test_several_clients_with_one_key_at_the_same_instant_make_one_schedule(api: Api) -> None:
    outcomes: list[Any] = at_once([lambda: api.post("/jobs", body(), Idempotency_Key="k")] * 4)

    assert sorted(answer.status_code for answer in outcomes) == [200, 200, 200, 202]
    assert {answer.json()["jobId"] for answer in outcomes} == {the_schedule().public_id}


# -- many at once -------------------------------------------------------------------------------------------------


def test_jobs_and_schedules_share_a_batch(api: Api) -> None:
    answer = api.post(
        "/jobs/batch",
        [
            {"jobType": "ping"},
            body(EVERY_HOUR),
            body({"cron": "61 * * * *"}),
            body(AT_NINE, scheduleBackend="systemd"),
            {"jobType": "ping", "schedule": {"runAt": in_an_hour().isoformat()}},
            body(AT_NINE, idempotencyKey="same-key-1"),
            body(AT_NINE, idempotencyKey="same-key-1"),
        ],
    )

    told = answer.json()
    assert answer.status_code == 202
    assert told[0]["jobId"].isdigit()
    assert row(told[1]["jobId"]).every_seconds == 3600
    assert told[2]["error"] == "invalid_payload"
    assert (told[3]["status"], told[3]["backend"]) == ("scheduled", "systemd")
    assert told[4]["scheduled"] is True
    assert told[6] == {**told[5], "deduplicated": True}
    assert (Job.objects.count(), Schedule.objects.count()) == (2, 3)


def test_a_batch_of_nothing_but_schedules(api: Api) -> None:
    answer = api.post("/jobs/batch", [body(EVERY_HOUR)] * 3)

    assert answer.status_code == 202
    assert Schedule.objects.count() == 3
