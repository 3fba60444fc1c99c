"""The page of a job, and what it fetches by itself."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from jobs.admin import page
from jobs.endings import attempt_failed
from jobs.lifecycle import end_many
from jobs.models import Job, LogLine
from tests.jobs.making import active, delayed, ended, start, waiting
from tests.jobs.test_artifacts_api import written
from tests.webhooks.making import delivery

pytestmark = pytest.mark.django_db


def page_of(job: Job, part: str = "change/") -> str:
    return f"/admin/jobs/job/{job.pk}/{part}"


def wrote(job: Job, *messages: str) -> list[LogLine]:
    return [
        LogLine.objects.create(job=job, run=1, at=timezone.now(), level="info", message=message) for message in messages
    ]


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize("make", [waiting, active, ended, lambda: delayed(due_at=timezone.now())])
def test_the_page_of_a_job_in_any_state(viewer: Client, make: Any) -> None:
    job = make()

    assert f">{job.state}</span>" in text(viewer.get(page_of(job)))


def test_input_and_result_are_readable_and_no_html(viewer: Client) -> None:
    job = ended(input={"a": "<b>x</b>"}, result={"n": 1.5, "lone": "\ud800"})

    shown = text(viewer.get(page_of(job)))

    assert (
        '<span class="job-key">&quot;a&quot;</span>: <span class="job-text">&quot;&lt;b&gt;x&lt;/b&gt;&quot;</span>'
        in shown
    )
    assert "\\ud800" in shown


def test_an_attempt_that_failed_tells_why(viewer: Client) -> None:
    claim = start()
    ending = attempt_failed(
        claim, ValueError("no <feed>"), at=timezone.now(), backoff_seconds=5, jitter=0, traceback="Traceback: here"
    )
    end_many([ending])

    shown = text(viewer.get(f"/admin/jobs/job/{claim.job_id}/change/"))

    assert "no &lt;feed&gt;" in shown
    assert "Traceback: here" in shown
    assert ">retries</span>" in shown


def test_a_page_of_markdown_is_rendered_without_what_is_dangerous(viewer: Client) -> None:
    job = ended()
    written(job, raw=b"# Hi\n\n<script>alert(1)</script> [x](javascript:alert(1))")

    shown = text(viewer.get(page_of(job)))

    assert "<h3>Hi</h3>" in shown
    assert "alert(1)" not in shown


def test_callbacks_are_told_with_a_link_for_those_who_may_follow_it(viewer: Client) -> None:
    job = ended()
    row = delivery("https://agent.example/hook", state="dead", job_id=job.pk)
    link = f"/admin/webhooks/delivery/{row.pk}/change/"
    assert link not in text(viewer.get(page_of(job)))

    User.objects.get(username="vera").user_permissions.add(Permission.objects.get(codename="view_delivery"))

    assert link in text(viewer.get(page_of(job)))


@pytest.mark.parametrize("number", ["999999", "x", "99999999999999999999999"])
def test_there_is_no_page_without_a_job(viewer: Client, number: str) -> None:
    assert viewer.get(f"/admin/jobs/job/{number}/change/").status_code == 404


def test_a_running_page_renews_itself_and_an_ended_one_does_not(viewer: Client) -> None:
    assert 'hx-trigger="every 1s"' in text(viewer.get(page_of(active())))
    assert '<div id="job-poll"></div>' in text(viewer.get(page_of(ended())))


def test_a_renewal_brings_only_new_lines(viewer: Client) -> None:
    job = active()
    first, second = wrote(job, "an old line", "a new line")

    shown = text(viewer.get(page_of(job, "live/"), {"after": str(first.pk), "seen": page.version_of(job)}))

    assert "a new line" in shown
    assert "an old line" not in shown
    assert f"after={second.pk}" in shown
    assert 'id="job-head"' not in shown


def test_a_renewal_brings_the_rest_when_something_changed_and_is_the_last_after_the_end(viewer: Client) -> None:
    job = active()
    seen = page.version_of(job)
    Job.objects.filter(pk=job.pk).update(state="completed", token=None, finished_at=timezone.now(), summary="Done so.")

    shown = text(viewer.get(page_of(job, "live/"), {"after": "0", "seen": seen}))

    assert 'id="job-head"' in shown
    assert "Done so." in shown
    assert "It wrote nothing to its log." in shown
    assert "hx-trigger" not in shown


@pytest.mark.parametrize(
    ("callback_url", "said"), [("", "Nobody is called back"), ("https://agent.example/", "Sent when the job ends")]
)
def test_a_running_job_tells_whether_its_end_is_told(viewer: Client, callback_url: str, said: str) -> None:
    job = active()
    Job.objects.filter(pk=job.pk).update(callback_url=callback_url)

    assert said in text(viewer.get(page_of(job)))


def test_a_page_is_renewed_for_a_callback_that_is_under_way(viewer: Client) -> None:
    job = ended()
    delivery("https://agent.example/hook", state="pending", job_id=job.pk)

    assert 'hx-trigger="every 5s"' in text(viewer.get(page_of(job)))


def test_a_renewal_after_a_deletion_says_so(viewer: Client) -> None:
    shown = text(viewer.get("/admin/jobs/job/999999/live/"))

    assert "has been deleted" in shown
    assert "hx-trigger" not in shown


def test_earlier_lines_come_when_they_are_asked_for(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LINES", 2)
    job = active()
    wrote(job, *(f"line {number}." for number in range(5)))

    shown = viewer.get(page_of(job))
    assert [line.message for line in shown.context["lines"]] == ["line 3.", "line 4."]
    earlier = viewer.get(page_of(job, "log/"), {"before": shown.context["earlier"]})

    assert [line.message for line in earlier.context["lines"]] == ["line 1.", "line 2."]
    assert earlier.context["earlier"] == earlier.context["lines"][0].pk


def test_the_log_is_for_those_who_may_read_it(viewer: Client) -> None:
    user = User.objects.get(username="vera")
    user.user_permissions.remove(Permission.objects.get(codename="view_logline"))
    job = active()
    wrote(job, "a secret")

    assert "a secret" not in text(viewer.get(page_of(job)))
    assert "a secret" not in text(viewer.get(page_of(job, "live/")))
    assert viewer.get(page_of(job, "log/"), {"before": 10**9}).status_code == 403


def test_a_run_has_a_page_that_leads_to_its_job(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    claim = start()

    found = client.get("/admin/django_celery_results/taskresult/", {"q": str(claim.job_id)})
    (row,) = found.context["cl"].result_list
    shown = text(client.get(f"/admin/django_celery_results/taskresult/{row.pk}/change/"))

    assert json.loads(row.task_args) == [claim.job_id]
    assert f"/admin/jobs/job/{claim.job_id}/change/" in shown
    assert client.get("/admin/django_celery_results/taskresult/add/").status_code == 403
