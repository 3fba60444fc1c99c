"""Making and editing schedules in the admin's form."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from schedules.admin.forms import blank_values
from schedules.models import AuditEntry, Schedule, Tombstone
from schedules.services import Changes, edit_schedule, pause_schedule
from tests.parts import Api
from tests.schedules.admin.people import LIST, staff, text_of
from tests.schedules.calls import AT_NINE, EVERY_HOUR, body, make, row

pytestmark = pytest.mark.usefixtures("committed_db")

ADD = f"{LIST}add/"


def typed(**fields: Any) -> dict[str, Any]:
    """What a browser sends of a filled-in form."""
    whole = {
        **blank_values(),
        "name": "stand-up",
        "job_type": "reminder",
        "input-message": "Stand up",
        "cron": "0 9 * * 1-5",
        "zone": "Europe/Prague",
    }
    return {**whole, **fields}


def edit_of(schedule_id: str) -> str:
    return f"{LIST}{row(schedule_id).pk}/edit/"


def as_shown(client: Client, address: str, **fields: Any) -> dict[str, Any]:
    """What a browser sends of a form as it is shown, with these fields changed."""
    shown = client.get(address)
    forms = [form for form in (shown.context["form"], shown.context["work"]) if form is not None]
    sent = {bound.html_name: bound.value() for form in forms for bound in form}
    values = {name: "" if value is None else value for name, value in sent.items()}
    return {**values, "version": shown.context["version"], **fields}


# -- making -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({}, {"cron": "0 9 * * 1-5", "tz": "Europe/Prague"}),
        ({"kind": "every", "every_number": "2", "every_unit": "hours"}, {"everySeconds": 7200, "tz": "Europe/Prague"}),
        ({"kind": "once", "run_at": "2090-01-01T09:00"}, {"runAt": "2090-01-01T09:00", "tz": "Europe/Prague"}),
        (
            {"quiet_from": "22:00", "quiet_to": "07:00", "misfire": "all", "jitter_seconds": "5"},
            {
                "cron": "0 9 * * 1-5",
                "tz": "Europe/Prague",
                "misfire": "all",
                "quietHours": {"from": "22:00", "to": "07:00"},
                "jitterSeconds": 5,
            },
        ),
    ],
)
def test_a_form_makes_a_schedule_as_the_api_would(ana: Client, fields: dict[str, Any], written: Any) -> None:
    answer = ana.post(ADD, typed(priority=2, callback_events=["job.started"], **fields), follow=True)

    schedule = Schedule.objects.get()
    assert answer.redirect_chain[-1][0] == f"{LIST}{schedule.pk}/change/"
    assert (schedule.timing, schedule.input) == (written, {"message": "Stand up"})
    assert (schedule.name, schedule.owner, schedule.priority) == ("stand-up", "admin:ana", 2)
    assert schedule.callback_events == "job.started"
    assert schedule.next_due_at is not None
    assert schedule.periodic_task is not None
    assert list(AuditEntry.objects.values_list("action", "by")) == [("created", "admin:ana")]


def test_a_schedule_of_systemds_gets_its_manifest(ana: Client, settings: Any) -> None:
    ana.post(ADD, typed(backend="systemd"))

    schedule = Schedule.objects.get()
    assert (settings.RUNNER_DATA_DIR / "systemd-manifests" / f"{schedule.public_id}.json").exists()
    assert "Its systemd timer" in text_of(ana.get(f"{LIST}{schedule.pk}/change/"))


@pytest.mark.parametrize(
    ("fields", "place", "said"),
    [
        ({"cron": "0 25 * * *"}, "cron", "the hour, cannot be"),
        ({"cron": ""}, "cron", "Write a cron"),
        ({"cron": "0 9 30 2 *"}, "cron", "never fires"),
        ({"zone": "Europe/Pragu"}, "zone", "Europe/Prague"),
        ({"kind": "every", "every_number": ""}, "every_number", "Say how often"),
        ({"kind": "every", "every_number": "0.1", "every_unit": "seconds"}, "every_number", "at least 1"),
        ({"kind": "once", "run_at": "2020-01-01T09:00"}, "run_at", "in the past"),
        ({"start_at": "2020-01-01T09:00"}, "start_at", "in the past"),
        ({"quiet_from": "22:00"}, "quiet_from", "give both"),
        ({"jitter_seconds": "5000"}, "jitter_seconds", "3600"),
        ({"priority": "11"}, "priority", "10"),
        ({"callback_url": "ftp://a.example/"}, "callback_url", "http"),
        ({"name": "sched-x"}, "name", "must not begin"),
        ({"name": "a/b"}, "name", "no slash"),
        ({"job_type": "rm-rf"}, "job_type", "valid choice"),
        ({"backend": "systemd", "cron": "0 9 * * 5L"}, "cron", "systemd"),
    ],
)
def test_a_fault_is_told_at_its_field(ana: Client, fields: dict[str, Any], place: str, said: str) -> None:
    shown = ana.post(ADD, typed(**fields))

    assert shown.status_code == 200
    errors = shown.context["form"].errors
    assert list(errors) == [place]
    assert said in " ".join(errors[place])
    assert said in text_of(shown)
    assert not Schedule.objects.exists()


def test_faults_of_the_input_and_of_the_times_are_told_together(ana: Client) -> None:
    shown = ana.post(ADD, typed(cron="x", **{"input-message": ""}))

    assert list(shown.context["form"].errors) == ["cron"]
    assert list(shown.context["work"].errors) == ["message"]


def test_a_name_is_not_taken_from_another(ana: Client, api: Api) -> None:
    api.put("/schedules/stand-up", body())

    shown = ana.post(ADD, typed())

    assert "Another schedule has the name" in shown.context["form"].errors["name"][0]
    assert (Schedule.objects.count(), Schedule.objects.get().version) == (1, 1)


def test_a_person_makes_again_what_a_person_deleted(ana: Client) -> None:
    Tombstone.objects.create(name="stand-up", by="admin:ana", at=timezone.now())

    ana.post(ADD, typed())

    assert Schedule.objects.get().name == "stand-up"
    assert not Tombstone.objects.exists()


def test_two_may_have_no_name(ana: Client) -> None:
    for _ in range(2):
        ana.post(ADD, typed(name=""))

    assert Schedule.objects.count() == 2


def test_the_fields_of_the_input_follow_the_job_type(ana: Client) -> None:
    assert "Max items" in text_of(ana.get(f"{LIST}inputs/?job_type=daily-crypto-brief"))
    assert "Choose a job type" in text_of(ana.get(f"{LIST}inputs/?job_type=nonsense"))


# -- editing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schedule",
    [AT_NINE, EVERY_HOUR, {"cron": "0  9 * * *", "misfire": "once", "runAt": "2090-03-10T13:30:07+05:30"}],
)
def test_saving_what_was_not_changed_changes_nothing(ana: Client, api: Api, schedule: Any) -> None:
    schedule_id = make(
        api, schedule, input={"any": [1, {"b": None}]}, metadata={"a": 1}, callbackEvents=["job.started"]
    )
    before = Schedule.objects.values().get()

    answer = ana.post(edit_of(schedule_id), as_shown(ana, edit_of(schedule_id)), follow=True)

    assert "Nothing was changed." in text_of(answer)
    assert Schedule.objects.values().get() == before
    assert AuditEntry.objects.count() == 1


def test_an_edit_is_one_entry_of_the_audit(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR, metadata={"a": 1}, concurrencyKey="k")

    ana.post(edit_of(schedule_id), as_shown(ana, edit_of(schedule_id), priority="1", kind="cron", cron="5 * * * *"))

    after = row(schedule_id)
    assert (after.cron, after.every_seconds, after.priority, after.version) == ("5 * * * *", None, 1, 2)
    assert (after.metadata, after.concurrency_key) == ({"a": 1}, "k")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.by, entry.details) == ("edited", "admin:ana", "priority, timing")


def test_another_job_type_takes_its_own_input(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR, input={"a": 1})

    ana.post(
        edit_of(schedule_id),
        as_shown(ana, edit_of(schedule_id), job_type="reminder", **{"input-message": "Stand up"}),
    )

    assert (row(schedule_id).job_type, row(schedule_id).input) == ("reminder", {"message": "Stand up"})


def test_what_runs_no_more_can_still_be_edited_otherwise(ana: Client, api: Api, settings: Any) -> None:
    schedule_id = make(api, EVERY_HOUR)
    settings.RUNNER_JOBS = ("reminder",)

    ana.post(edit_of(schedule_id), as_shown(ana, edit_of(schedule_id), priority="1"))

    assert row(schedule_id).priority == 1


def test_two_editors_do_not_overwrite_each_other(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    sent = as_shown(ana, edit_of(schedule_id), priority="1")
    edit_schedule(row(schedule_id).pk, Changes(fields={"priority": 9}), by="agent")

    told = text_of(ana.post(edit_of(schedule_id), sent))

    assert "Somebody else changed this schedule" in told
    assert "edited by agent (priority)" in told
    assert (row(schedule_id).priority, row(schedule_id).version) == (9, 2)


def test_one_who_comes_second_by_a_hair_does_not_overwrite_either(
    ana: Client, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule_id = make(api, EVERY_HOUR)
    sent = as_shown(ana, edit_of(schedule_id), priority="1")

    def overtaken(*args: Any, **kwargs: Any) -> Schedule:
        pause_schedule(row(schedule_id).pk, by="agent")
        return edit_schedule(*args, **kwargs)

    monkeypatch.setattr("schedules.admin.form_pages.edit_schedule", overtaken)

    assert "paused by agent" in text_of(ana.post(edit_of(schedule_id), sent))
    assert (row(schedule_id).priority, row(schedule_id).enabled) == (5, False)


def test_who_may_change_may_not_add_and_the_other_way_round(people: None, api: Api) -> None:  # noqa: ARG001
    schedule_id = make(api, EVERY_HOUR)
    client = staff("view_schedule", "change_schedule")

    assert client.get(edit_of(schedule_id)).status_code == 200
    assert client.post(ADD, typed()).status_code == 403
    assert Schedule.objects.count() == 1
