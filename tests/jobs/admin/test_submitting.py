"""Submitting a job by hand: what is accepted, what is refused where, and that two clicks make one job."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import ADDITION, LogEntry
from django.test import Client

from jobs.models import Job
from tests.jobs.admin.conftest import ACTS, SEES, person
from tests.jobs.making import ended, known_type

# The intake accepts in a thread of its own, as for the API.
pytestmark = pytest.mark.usefixtures("committed_db")

SUBMIT = "/admin/jobs/job/submit/"
REMINDER = f"{SUBMIT}?type=reminder"
KEY = "0123456789abcdef"


@pytest.fixture
def ana(committed_db: None) -> Client:  # noqa: ARG001
    return person("ana", *SEES, *ACTS)


def submit(browser: Client, **fields: str) -> Any:
    return browser.post(REMINDER, {"key": KEY, "input-message": "Bins", **fields})


def test_the_types_are_there_to_choose_from(ana: Client) -> None:
    shown = ana.get(SUBMIT).content.decode()

    assert "?type=reminder" in shown
    assert known_type("reminder").description in shown


def test_a_job_is_accepted_as_the_persons_own(ana: Client) -> None:
    answer = submit(ana, priority="2", concurrency_key="bins", metadata='{"ticket": 42}')

    job = Job.objects.get()
    assert answer["Location"] == f"/admin/jobs/job/{job.pk}/change/"
    assert (job.job_type, job.input, job.owner) == ("reminder", {"message": "Bins"}, "admin:ana")
    assert (job.priority, job.concurrency_key, job.metadata) == (2, "bins", {"ticket": 42})
    note = LogEntry.objects.get()
    assert (note.object_id, note.action_flag) == (str(job.pk), ADDITION)


def test_two_clicks_make_one_job(ana: Client) -> None:
    first, second = submit(ana), submit(ana)

    assert Job.objects.count() == 1
    assert first["Location"] == second["Location"]
    assert LogEntry.objects.count() == 1


def test_the_form_of_a_job_that_was_submitted_makes_another_when_it_was_changed(ana: Client) -> None:
    submit(ana)

    answer = submit(ana, **{"input-message": "Tomatoes"})

    assert answer.status_code == 400
    assert "submitted already" in answer.content.decode()
    assert answer.context["key"] not in {"", KEY}
    submit(ana, **{"input-message": "Tomatoes", "key": answer.context["key"]})
    assert Job.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "form", "name"),
    [
        ({"input-message": ""}, "input_form", "message"),
        ({"input-title": "x" * 201}, "input_form", "title"),
        ({"priority": "11"}, "more", "priority"),
        ({"callback_url": "http://127.0.0.1/"}, "more", "callback_url"),
        ({"run_at": "2001-01-01T10:00"}, "more", "run_at"),
        ({"metadata": "[1]"}, "more", "metadata"),
        ({"metadata": "{"}, "more", "metadata"),
        ({"concurrency_key": "k\x00"}, "more", "concurrency_key"),
    ],
)
def test_faults_stand_at_their_field(ana: Client, fields: dict[str, str], form: str, name: str) -> None:
    answer = submit(ana, **fields)

    assert answer.status_code == 400
    assert list(answer.context[form].errors) == [name]
    assert not Job.objects.exists()


def test_all_faults_are_told_at_once(ana: Client) -> None:
    answer = submit(ana, **{"input-message": ""}, callback_url="http://127.0.0.1/", priority="11")

    assert list(answer.context["input_form"].errors) == ["message"]
    assert set(answer.context["more"].errors) == {"callback_url", "priority"}


def test_a_time_is_read_on_the_owners_clock(ana: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"

    submit(ana, run_at="2100-01-02T05:30")

    job = Job.objects.get()
    assert (job.state, job.due_at.isoformat()) == ("delayed", "2100-01-02T00:00:00+00:00")


def test_a_job_that_is_not_wanted_beside_another_is_refused_at_the_field(ana: Client) -> None:
    submit(ana, concurrency_key="bins")

    answer = submit(ana, concurrency_key="bins", on_conflict="reject", key="another-key-0123")

    assert list(answer.context["more"].errors) == ["on_conflict"]


def test_a_form_can_begin_like_an_earlier_job(ana: Client) -> None:
    job = ended(kind=known_type("reminder"), input={"message": "Bins", "odd": 1}, priority=3, metadata={"a": 1})

    shown = ana.get(SUBMIT, {"like": job.pk})

    assert shown.context["input_form"]["message"].value() == "Bins"
    assert '"odd": 1' in shown.context["input_form"]["other-fields"].value()
    assert shown.context["more"]["priority"].value() == 3
    assert shown.context["more"]["metadata"].value() == '{\n  "a": 1\n}'


def test_what_may_not_run_cannot_be_submitted(ana: Client) -> None:
    settings.RUNNER_JOBS = ("ping",)

    answer = submit(ana)

    assert "There is no job type" in answer.content.decode()
    assert not Job.objects.exists()


def test_a_viewer_cannot_submit(committed_db: None) -> None:  # noqa: ARG001
    vera = person("vera", *SEES)

    assert vera.get(SUBMIT).status_code == 403
    assert submit(vera).status_code == 403
    assert not Job.objects.exists()
