"""Snoozing reminders through the API."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import Job
from jobs.runner import answer_ring
from jobs.snoozing import Snoozed
from jobs.snoozing import snooze as put_off
from jobs.sweep import promote_due
from pirunner.times import iso
from tests.jobs.making import active, delayed, ended, known_type
from tests.parts import Api, at_once

pytestmark = pytest.mark.usefixtures("committed_db")
REMINDER = known_type("reminder")
MESSAGE = {"message": "Bins"}


def later(seconds: float = 3600) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def snooze(api: Api, job_id: int, **body: Any) -> Any:
    return api.patch(f"/jobs/{job_id}", {"action": "snooze", **body})


def test_one_that_is_to_come_is_moved(api: Api) -> None:
    job = delayed(REMINDER, due_at=later(300), input=MESSAGE)

    answer = snooze(api, job.pk, seconds=600).json()

    job.refresh_from_db()
    assert (answer["ok"], answer["jobId"], answer["snoozes"], answer["dueAt"]) == (
        True,
        str(job.pk),
        1,
        iso(job.due_at),
    )
    assert abs((job.due_at - later(600)).total_seconds()) < 5
    assert (job.state, job.input) == ("delayed", {"message": "Bins", "snoozes": 1})


def test_one_that_is_to_come_does_not_come_earlier(api: Api) -> None:
    job = delayed(REMINDER, due_at=later(3600), input=MESSAGE)

    refused = snooze(api, job.pk, seconds=600)

    assert (refused.status_code, refused.json()["error"]) == (409, "cannot_snooze")
    assert iso(job.due_at) in refused.json()["details"]
    job.refresh_from_db()
    assert job.input == MESSAGE


def test_one_that_was_sent_gets_a_successor_which_is_moved_the_next_time(api: Api) -> None:
    job = ended(kind=REMINDER, input=MESSAGE, metadata={"for": "ana"}, callback_url="https://a.example/")

    first = snooze(api, job.pk, seconds=600).json()
    again = snooze(api, job.pk, seconds=60).json()
    of_successor = snooze(api, int(first["jobId"]), until=iso(later(3600))).json()

    assert first["jobId"] == again["jobId"] == of_successor["jobId"] != str(job.pk)
    assert (first["snoozes"], again["snoozes"], of_successor["snoozes"]) == (1, 2, 3)
    successor = Job.objects.get(pk=first["jobId"])
    assert (successor.state, successor.metadata, successor.callback_url) == (
        "delayed",
        {"for": "ana"},
        job.callback_url,
    )
    assert successor.input == {"message": "Bins", "snoozes": 3, "snoozeOf": str(job.pk)}
    assert Job.objects.count() == 2


def test_the_result_says_how_often_it_was_put_off_and_how_late_it_is(api: Api) -> None:
    job = ended(kind=REMINDER, input=MESSAGE)
    successor = Job.objects.get(pk=snooze(api, job.pk, seconds=1).json()["jobId"])
    Job.objects.filter(pk=successor.pk).update(due_at=later(-42))
    promote_due(timezone.now())

    answer_ring("reminder", worker="worker@test")

    result = api.get(f"/jobs/{successor.pk}").json()["returnvalue"]
    assert result["summary"] == "⏰ Reminder: Bins"
    assert (result["snoozes"], result["snoozeOf"], 42 <= result["lateSeconds"] < 50) == (1, str(job.pk), True)


def test_until_without_an_offset_is_in_the_owners_zone(api: Api, owner: Any) -> None:
    owner.TIME_ZONE = "Asia/Kolkata"
    job = delayed(REMINDER, due_at=later(), input=MESSAGE)
    year = timezone.now().year + 1

    snooze(api, job.pk, until=f"{year}-01-01T05:30")

    job.refresh_from_db()
    assert job.due_at == datetime(year, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"seconds": 5, "until": "2030-01-01T00:00Z"},
        {"seconds": 0},
        {"seconds": "5"},
        {"seconds": 10**12},
        {"until": "tomorrow"},
        {"until": "2001-01-01T00:00Z"},
        {"until": "9999-01-01T00:00Z"},
    ],
)
def test_what_says_no_time_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = snooze(api, delayed(REMINDER, due_at=later(), input=MESSAGE).pk, **body)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_payload")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: active(REMINDER, input=MESSAGE), "cannot_snooze"),
        (lambda: ended("failed", REMINDER, input=MESSAGE), "cannot_snooze"),
        (lambda: ended(kind=known_type("ping")), "not_a_reminder"),
    ],
)
def test_others_cannot_be_snoozed(api: Api, make: Any, error: str) -> None:
    answer = snooze(api, make().pk, seconds=5)

    assert (answer.status_code, answer.json()["error"]) == (409, error)


def test_another_change_of_a_job_is_refused_as_before(api: Api) -> None:
    answer = api.patch(f"/jobs/{ended(kind=REMINDER).pk}", {"action": "pause"})

    assert (answer.status_code, answer.json()["error"]) == (409, "not_a_schedule")


@pytest.mark.usefixtures("database_for_threads")
def test_the_first_reminder_and_its_successor_can_be_snoozed_at_once(api: Api) -> None:
    job = ended(kind=REMINDER, input=MESSAGE)
    successor = int(snooze(api, job.pk, seconds=600).json()["jobId"])

    outcomes = at_once([partial(put_off, number, later(60)) for number in (job.pk, successor) * 4])

    snoozed = [outcome for outcome in outcomes if isinstance(outcome, Snoozed)]
    assert {outcome.job_id for outcome in snoozed} == {successor}
    assert sorted(outcome.snoozes for outcome in snoozed) == list(range(2, 10))
