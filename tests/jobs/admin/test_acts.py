"""Cancelling, retrying and deleting by hand: what is told before, what happens, what is refused, what is noted."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from jobs.admin import acts, confirming
from jobs.models import Job
from jobs.states import State
from pirunner.doorbell import Ring
from tests.jobs.making import PING, active, delayed, ended, waiting
from tests.jobs.test_artifacts_api import written

pytestmark = pytest.mark.django_db

ACTS = "/admin/jobs/job/acts/"
LIST = "/admin/jobs/job/"


def one_of_each() -> dict[str, Job]:
    return {
        "waiting": waiting(PING),
        "delayed": delayed(PING, due_at=timezone.now()),
        "active": active(PING),
        **{state: ended(state, PING) for state in ("completed", "failed", "cancelled")},
    }


def do(browser: Client, act: str, *jobs: Job, **more: str) -> Any:
    ids = ",".join(str(job.pk) for job in jobs)
    return browser.post(ACTS, {"act": act, "ids": ids, "confirmed": "1", **more})


def told(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


@pytest.mark.parametrize(
    ("act", "become"),
    [
        ("cancel", {"waiting": "cancelled", "delayed": "cancelled"}),
        ("retry", {"completed": "waiting", "failed": "waiting", "cancelled": "waiting"}),
        ("delete", dict.fromkeys(("waiting", "delayed", "completed", "failed", "cancelled"))),
    ],
)
def test_an_act_does_what_it_can_and_leaves_the_rest(operator: Client, act: str, become: dict[str, str | None]) -> None:
    jobs = one_of_each()

    answer = do(operator, act, *jobs.values())

    assert answer.status_code == 302
    states = {name: Job.objects.filter(pk=job.pk).values_list("state", flat=True).first() for name, job in jobs.items()}
    assert states == {**dict(zip(jobs, jobs, strict=True)), **become}


def test_who_did_it_is_noted_for_each_job(operator: Client) -> None:
    first, second, over = waiting(), delayed(due_at=timezone.now()), ended()

    do(operator, "cancel", first, second, over)

    notes = LogEntry.objects.values_list("object_id", "action_flag", "change_message", "user__username")
    assert set(notes) == {(str(job.pk), CHANGE, "cancelled", "ana") for job in (first, second)}
    first.refresh_from_db()
    assert first.cancel_requested_by == "admin:ana"


def test_a_running_job_is_asked_to_stop(operator: Client) -> None:
    job = active()

    do(operator, "cancel", job)

    job.refresh_from_db()
    assert job.state == State.ACTIVE
    assert job.cancel_requested_by == "admin:ana"


def test_a_retried_job_is_rung_for(operator: Client, rings: list[Ring]) -> None:
    job = ended("failed", PING)

    do(operator, "retry", job)

    assert [ring.row_id for ring in rings] == [job.pk]


def test_a_deleted_job_takes_its_files_along(operator: Client) -> None:
    job = ended()
    file = settings.DATA_DIR / written(job).path

    do(operator, "delete", job)

    assert not file.exists()
    assert LogEntry.objects.get().action_flag == DELETION


def test_the_reasons_of_those_left_out_are_told(operator: Client) -> None:
    answer = do(operator, "cancel", waiting(), waiting(), ended(), active(cancel_requested_at=timezone.now()))

    assert told(answer) == "2 jobs cancelled. Left as they were: 1 asked to stop already, 1 ended already."


def test_a_job_that_went_between_the_page_and_its_button_is_told(operator: Client) -> None:
    job, gone = waiting(), ended()
    gone_id = gone.pk
    gone.delete()

    answer = operator.post(ACTS, {"act": "cancel", "ids": f"{job.pk},{gone_id}", "confirmed": "1"})

    assert told(answer) == "1 job cancelled. Left as they were: 1 gone by then."


def test_nothing_happens_before_the_button_of_the_page_is_pressed(operator: Client) -> None:
    jobs = one_of_each()

    answer = operator.post(ACTS, {"act": "delete", "job": [str(job.pk) for job in jobs.values()]})

    assert answer.status_code == 200
    assert Job.objects.count() == len(jobs)
    assert answer.context["foreseen"].count == 5
    assert "Delete 5 jobs?" in answer.content.decode()
    assert "running: cancel it first" in answer.content.decode()


def test_the_page_tells_how_many_files_go(operator: Client) -> None:
    job = ended()
    written(job)
    written(job, "more.md")

    assert "with 2 files, " in operator.post(ACTS, {"act": "delete", "job": job.pk}).content.decode()


@pytest.mark.parametrize("act", ["cancel", "retry", "delete"])
@pytest.mark.parametrize("confirmed", ["", "1"])
def test_a_viewer_can_do_nothing(viewer: Client, act: str, confirmed: str) -> None:
    jobs = one_of_each()

    ids = ",".join(str(job.pk) for job in jobs.values())

    assert viewer.post(ACTS, {"act": act, "ids": ids, "confirmed": confirmed}).status_code == 403
    assert {job.pk: job.state for job in Job.objects.all()} == {job.pk: job.state for job in jobs.values()}
    assert not LogEntry.objects.exists()


def test_a_viewer_sees_no_button(viewer: Client) -> None:
    job = ended()

    for page in (LIST, f"{LIST}{job.pk}/change/"):
        shown = viewer.get(page).content.decode()
        assert "act=" not in shown
        assert 'name="act"' not in shown
        assert "/submit/" not in shown


def test_a_get_never_does_anything(operator: Client) -> None:
    job = waiting()

    answer = operator.get(ACTS, {"act": "cancel", "ids": str(job.pk), "confirmed": "1"})

    job.refresh_from_db()
    assert (answer.status_code, job.state) == (200, State.WAITING)


def test_all_that_match_are_meant_but_not_more_than_at_once(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "MOST", 2)
    monkeypatch.setattr(confirming, "MOST", 2)
    failed = [ended("failed") for _ in range(3)]
    ended("completed")

    answer = operator.post(ACTS, {"act": "retry", "across": "1", "query": "state=failed"})

    assert answer.context["foreseen"].ids == f"{failed[2].pk},{failed[1].pk}"
    assert answer.context["foreseen"].more
    assert "More than 2 jobs were meant" in answer.content.decode()


def test_nothing_chosen_is_told(operator: Client) -> None:
    answer = operator.post(ACTS, {"act": "cancel"})

    assert answer.status_code == 302
    assert "No job is chosen" in told(answer)


@pytest.mark.parametrize(
    ("back", "leads_to"),
    [
        ("/admin/jobs/job/?state=failed", "/admin/jobs/job/?state=failed"),
        ("https://evil.example/", LIST),
        ("//evil.example/", LIST),
        ("javascript:alert(1)", LIST),
    ],
)
def test_one_is_led_back_to_a_page_of_ours(operator: Client, back: str, leads_to: str) -> None:
    assert do(operator, "cancel", waiting(), back=back)["Location"] == leads_to


def test_the_page_of_a_deleted_job_leads_to_the_list(operator: Client) -> None:
    job = ended()

    assert do(operator, "delete", job, back=f"{LIST}{job.pk}/change/")["Location"] == LIST


def test_an_unknown_act_is_not_found(operator: Client) -> None:
    assert do(operator, "explode", waiting()).status_code == 404
