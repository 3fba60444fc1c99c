"""Schedules in the admin: who sees what, and what the buttons do."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job
from schedules.models import AuditEntry, Occurrence, Schedule, Tombstone
from tests.parts import Api
from tests.schedules.admin.people import LIST, act, page_of, press, staff, text_of
from tests.schedules.calls import EVERY_HOUR, body, error, fire, make, row

pytestmark = pytest.mark.usefixtures("committed_db")


# -- lists --------------------------------------------------------------------------------------------------------


def test_the_empty_list_says_how_to_make_one(ana: Client) -> None:
    told = text_of(ana.get(LIST))

    assert "No schedules yet" in told
    assert "curl http://testserver/jobs" in told
    assert "everySeconds" in told


def test_the_list_tells_what_is_due_when_and_what_became_of_it(ana: Client, api: Api) -> None:
    hourly = make(api, EVERY_HOUR)
    api.put("/schedules/bins", body())
    paused = make(api, EVERY_HOUR, jobType="reminder", input={"message": "m"})
    api.patch(f"/jobs/{paused}", {"action": "pause"})
    fire(hourly)

    told = text_of(ana.get(LIST))

    assert "bins ping At 09:00 on Monday through Friday Asia/Kolkata" in told
    assert f"{hourly[:14]}… ping Every hour" in told
    for word in ("scheduled", "paused", "fired"):
        assert word in told


def test_one_that_is_over_says_so(ana: Client, api: Api) -> None:
    api.put("/schedules/once", body({"runAt": (timezone.now() + timedelta(hours=1)).isoformat()}))
    Schedule.objects.update(next_due_at=None)

    assert " over " in text_of(ana.get(LIST))


def test_the_list_costs_the_same_for_many(ana: Client, api: Api, django_assert_max_num_queries: Any) -> None:
    for _ in range(5):
        fire(make(api, EVERY_HOUR))

    with django_assert_max_num_queries(12):
        ana.get(LIST)


@pytest.mark.parametrize("query", ["?enabled__exact=0", "?q=bins", "?job_type=ping", "?o=-1.4.5"])
def test_the_list_is_filtered_searched_and_sorted(ana: Client, api: Api, query: str) -> None:
    api.put("/schedules/bins", body())

    assert ana.get(f"{LIST}{query}").status_code == 200


def test_a_filter_that_fits_none_is_not_an_empty_house(ana: Client, api: Api) -> None:
    api.put("/schedules/bins", body())

    told = text_of(ana.get(f"{LIST}?q=nothing"))

    assert "No schedule fits" in told
    assert "curl" not in told


def test_what_is_deleted_is_not_shown(ana: Client, api: Api) -> None:
    schedule_id = make(api)
    page = page_of(schedule_id)
    api.delete(f"/jobs/{schedule_id}")

    assert "No schedules yet" in text_of(ana.get(LIST))
    assert ana.get(page).status_code == 302


# -- one ----------------------------------------------------------------------------------------------------------


def test_a_schedule_is_shown_with_its_history(ana: Client, api: Api) -> None:
    schedule_id = make(api, {**EVERY_HOUR, "misfire": "skip"}, input={"a": [1]}, metadata={"who": "agent"})
    fire(schedule_id)
    fire(schedule_id, late=600)
    api.patch(f"/jobs/{schedule_id}", {"priority": 2})

    told = text_of(ana.get(page_of(schedule_id)))

    assert '"a": [ 1 ]' in told
    assert '"who": "agent"' in told
    assert "fired" in told
    assert "skipped" in told
    assert "missed" in told
    assert "edited by bootstrap priority" in told
    assert "created by bootstrap" in told
    assert "Save" not in told


def test_only_the_latest_occurrences_are_on_the_page(ana: Client, api: Api) -> None:
    schedule = row(make(api))
    now = timezone.now()
    Occurrence.objects.bulk_create(
        Occurrence(
            schedule=schedule,
            due_at=now - timedelta(hours=hour),
            until_due_at=now - timedelta(hours=hour),
            outcome="fired",
            job_id=900_000 + hour,
            recorded_at=now,
        )
        for hour in range(70)
    )

    told = text_of(ana.get(page_of(schedule.public_id)))

    assert "900000" in told
    assert "900011" in told
    assert "900012" not in told
    assert told.count("no longer kept") == 1


def test_a_schedule_that_makes_no_sense_any_more_can_still_be_seen(ana: Client, api: Api) -> None:
    schedule_id = make(api)
    Schedule.objects.update(zone="Mars/Base")

    assert "There is no time zone Mars/Base" in text_of(ana.get(LIST))
    assert "There is no time zone Mars/Base" in text_of(ana.get(page_of(schedule_id)))


# -- what can be done ---------------------------------------------------------------------------------------------


def test_pause_and_resume(ana: Client, api: Api) -> None:
    first, second = make(api), make(api)

    assert "2 schedules paused." in text_of(act(ana, "pause", first, second))
    assert not row(first).enabled
    assert not row(second).enabled

    assert "1 schedule resumed." in text_of(act(ana, "resume", first))
    assert row(first).enabled
    assert AuditEntry.objects.filter(action="paused", by="admin:ana").count() == 2


def test_run_now(ana: Client, api: Api) -> None:
    schedule_id = make(api)

    assert "1 schedule submitted to run now." in text_of(act(ana, "run", schedule_id))
    assert Job.objects.get().schedule_id == schedule_id

    assert "has not ended" in text_of(act(ana, "run", schedule_id))
    assert Job.objects.count() == 1


def test_many_are_asked_about_first(ana: Client, api: Api) -> None:
    schedule_id = make(api)

    asked = ana.post(LIST, {"action": "pause", "_selected_action": [row(schedule_id).pk]})

    assert "Pause: 1 schedule?" in text_of(asked)
    assert row(schedule_id).enabled


def test_the_buttons_of_a_page_lead_back_to_it(ana: Client, api: Api) -> None:
    schedule_id = make(api)
    assert 'value="pause"' in ana.get(page_of(schedule_id)).content.decode()

    answer = press(ana, "pause", schedule_id)

    assert answer.redirect_chain[-1][0] == page_of(schedule_id)
    assert 'value="resume"' in answer.content.decode()


def test_a_button_that_does_not_exist_does_nothing(ana: Client, api: Api) -> None:
    schedule_id = make(api)

    assert press(ana, "explode", schedule_id).status_code == 404
    assert ana.get(f"{LIST}{row(schedule_id).pk}/act/").status_code == 405
    assert row(schedule_id).version == 1


def test_a_deletion_is_confirmed_and_leaves_a_tombstone(ana: Client, api: Api) -> None:
    schedule_id = api.put("/schedules/bins", body()).json()["jobId"]
    fire_page = f"{LIST}{row(schedule_id).pk}/delete/"
    question = text_of(ana.get(fire_page))

    assert "No program can make a schedule named bins again" in question
    assert row(schedule_id).deleted_at is None

    ana.post(fire_page, {"post": "yes"})

    assert row(schedule_id).deleted_at is not None
    assert Tombstone.objects.get().by == "admin:ana"
    assert error(api.put("/schedules/bins", body())) == (409, "tombstoned")


def test_several_are_deleted_after_a_confirmation(ana: Client, api: Api) -> None:
    ids = [make(api, EVERY_HOUR), make(api, EVERY_HOUR)]
    fire(ids[0])

    assert "Are you sure" in text_of(act(ana, "delete_selected", *ids))
    act(ana, "delete_selected", *ids, post="yes")

    assert Schedule.objects.kept().count() == 0
    assert not Tombstone.objects.exists()
    assert Job.objects.count() == 1


def test_deleting_a_tombstone_lets_the_name_be_made_again(ana: Client, api: Api) -> None:
    Tombstone.objects.create(name="bins", by="ana", at=timezone.now())
    assert "stays deleted" in text_of(ana.get("/admin/schedules/tombstone/"))

    ana.post(f"/admin/schedules/tombstone/{Tombstone.objects.get().pk}/delete/", {"post": "yes"})

    assert api.put("/schedules/bins", body()).status_code == 201


# -- who may do it ------------------------------------------------------------------------------------------------


def test_who_may_look_sees_all_and_can_do_nothing(ben: Client, api: Api) -> None:
    schedule_id = api.put("/schedules/bins", body(EVERY_HOUR)).json()["jobId"]
    fire(schedule_id)
    Tombstone.objects.create(name="old", by="ana", at=timezone.now())
    stone = Tombstone.objects.get().pk

    for place in ("schedule", "occurrence", "tombstone", "auditentry"):
        assert ben.get(f"/admin/schedules/{place}/").status_code == 200
    page = ben.get(page_of(schedule_id)).content.decode()
    assert "fired" in page
    assert 'value="pause"' not in page

    for action in ("pause", "run", "delete_selected"):
        act(ben, action, schedule_id, post="yes")
    number = row(schedule_id).pk
    for address in (f"{LIST}add/", f"{LIST}{number}/edit/", f"{LIST}inputs/"):
        assert ben.get(address).status_code == 403
    assert ben.post(f"{LIST}{number}/act/", {"act": "pause"}).status_code == 403
    assert ben.post(f"{LIST}preview/", {}).status_code == 403
    assert ben.post(f"{LIST}{row(schedule_id).pk}/delete/", {"post": "yes"}).status_code == 403
    assert ben.post(f"/admin/schedules/tombstone/{stone}/delete/", {"post": "yes"}).status_code == 403
    assert (row(schedule_id).enabled, row(schedule_id).deleted_at, Job.objects.count()) == (True, None, 1)
    assert Tombstone.objects.count() == 1


def test_who_may_change_pauses_and_does_not_delete(people: None, api: Api) -> None:  # noqa: ARG001
    schedule_id = make(api)
    client = staff("view_schedule", "change_schedule")

    act(client, "pause", schedule_id)
    act(client, "delete_selected", schedule_id, post="yes")

    assert (row(schedule_id).enabled, row(schedule_id).deleted_at) == (False, None)
    assert client.post(f"{LIST}{row(schedule_id).pk}/delete/", {"post": "yes"}).status_code == 403


def test_nobody_adds_or_edits_what_pirunner_writes(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    fire(schedule_id)
    occurrence = Occurrence.objects.get().pk

    for place in ("occurrence", "tombstone", "auditentry"):
        assert ana.get(f"/admin/schedules/{place}/add/").status_code == 403
    assert ana.post(page_of(schedule_id), {"priority": 1}).status_code == 405
    assert ana.post(f"/admin/schedules/occurrence/{occurrence}/change/", {}).status_code == 403
    assert ana.post(f"/admin/schedules/occurrence/{occurrence}/delete/", {"post": "yes"}).status_code == 403


def test_nobody_looks_without_a_login() -> None:
    assert Client().get(LIST).status_code == 302
