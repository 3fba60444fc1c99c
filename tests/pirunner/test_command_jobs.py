"""``manage.py job`` and ``manage.py jobs``."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import Job, LogLine
from tests.jobs.making import PING, active, ended, waiting
from tests.pirunner.command import run
from tests.schedules.making import every, make

pytestmark = pytest.mark.usefixtures("committed_db")

DAY = timedelta(days=1)


def ids(*options: str) -> list[str]:
    return [line.split()[0] for line in run("jobs", *options).lines[1:]]


# -- jobs ---------------------------------------------------------------------------------------------------------


def test_jobs_are_listed_newest_first():
    first = ended(kind=PING, summary="pong")
    second = active(progress=40, status_message="half\x1bway")

    head, *lines = run("jobs").lines

    assert head.split() == ["id", "type", "state", "age", "took", "tries", "what"]
    assert [line.split()[:3] for line in lines] == [
        [str(second.pk), "slow", "active"],
        [str(first.pk), "ping", "completed"],
    ]
    assert lines[0].endswith("40 % half way")


def test_a_list_is_narrowed():
    old = ended("failed", at=timezone.now() - 3 * DAY)
    new = ended("failed", kind=PING)
    schedule = make(every(3600), name="mornings")
    of_schedule = waiting(schedule_id=schedule.public_id)

    assert ids("--state", "failed") == [str(new.pk), str(old.pk)]
    assert ids("--since", "2d", "--state", "failed") == [str(new.pk)]
    assert ids("--type", "ping") == [str(new.pk)]
    assert ids("--schedule", "mornings") == ids("--schedule", schedule.public_id) == [str(of_schedule.pk)]
    assert ids("--limit", "1") == [str(of_schedule.pk)]
    assert run("jobs", "--type", "nothing").out == "No job fits.\n"


def test_a_limit_goes_beyond_a_page(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pirunner.management.commands.jobs.MOST_AT_ONCE", 2)
    jobs = [ended() for _ in range(5)]

    assert ids("--limit", "4") == [str(job.pk) for job in reversed(jobs[1:])]


def test_a_table_fits_the_terminal(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    ended(summary="x" * 500)

    assert max(map(len, run("jobs").lines)) == 60


def test_jobs_as_json_are_what_the_api_shows():
    job = ended(summary="pong")

    (shown,) = run("jobs", "--json").json()
    assert (shown["id"], shown["summary"]) == (str(job.pk), "pong")


def test_no_job_yet_says_what_to_do_first():
    assert "submit ping" in run("jobs").out
    assert run("jobs", "--since", "yesterday").code == 2


# -- job ----------------------------------------------------------------------------------------------------------


def test_a_job_is_shown():
    job = ended("failed", error="no tea", input={"n": 1})

    ran = run("job", str(job.pk))

    assert " ".join(ran.out.split()).startswith(f"job {job.pk} slow state failed failed no tea")
    assert '"n": 1' in ran.out
    assert run("job", str(job.pk), "--json").json()["failedReason"] == "no tea"


@pytest.mark.parametrize("job_id", ["999999", "x", "sched-1"])
def test_an_unknown_job_is_a_sentence(job_id: str):
    ran = run("job", job_id)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("There is no job")


def test_a_log_is_printed():
    job = ended()
    LogLine.objects.create(job=job, run=1, at=timezone.now(), level="info", message="tea\x1b[2J")

    assert run("job", str(job.pk), "--log").lines[0].endswith("info    tea [2J")
    assert run("job", str(job.pk), "--log", "--json").json()["lines"][0]["level"] == "info"


@pytest.mark.parametrize(("state", "code"), [("completed", 0), ("failed", 1)])
def test_following_an_ended_job_ends_at_once(state: str, code: int):
    job = ended(state)

    assert run("job", str(job.pk), "--follow").code == code


def test_a_job_is_cancelled_retried_and_deleted():
    job = waiting()

    assert run("job", str(job.pk), "--cancel").out == f"Job {job.pk}: it is cancelled.\n"
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert "(manage.py)" in job.error

    assert run("job", str(job.pk), "--retry").code == 0
    job.refresh_from_db()
    assert job.state == "waiting"

    assert run("job", str(job.pk), "--delete").code == 0
    assert not Job.objects.exists()


def test_what_cannot_be_done_now_is_a_sentence():
    job = active()

    assert "cancel it first" in run("job", str(job.pk), "--delete").err
    assert run("job", str(job.pk), "--retry").code == 1
    assert "was asked to stop it" in run("job", str(job.pk), "--cancel").out
