"""``GET /jobs/:id/log``: pages of a log, and waiting for its next line."""

import threading
import time
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from jobs.endings import completed
from jobs.lifecycle import end_many
from jobs.models import Job, LogLine
from jobs.reporting import Reporter
from jobs.runs import Claim
from tests.jobs.making import active, start, waiting
from tests.parts import Api

committed = pytest.mark.usefixtures("committed_db")


def write_lines(job: Job, *messages: str) -> list[LogLine]:
    at = timezone.now()
    return [LogLine.objects.create(job=job, run=1, at=at, level="info", message=message) for message in messages]


def later(seconds: float, call: Any) -> threading.Thread:
    def run() -> None:
        time.sleep(seconds)
        call()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db
def test_a_line_has_its_number_time_level_and_text(api: Api):
    job = active()
    (line,) = write_lines(job, "reading feeds")

    answer = api.get(f"/jobs/{job.pk}/log").json()

    assert answer == {
        "lines": [
            {
                "seq": line.pk,
                "at": line.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "level": "info",
                "message": "reading feeds",
            }
        ],
        "next": line.pk,
    }


@pytest.mark.django_db
def test_pages_follow_each_other_without_gap_or_repetition(api: Api):
    job, other = active(), waiting()
    write_lines(job, "a", "b")
    write_lines(other, "not mine")
    write_lines(job, "c")

    first = api.get(f"/jobs/{job.pk}/log?limit=2").json()
    second = api.get(f"/jobs/{job.pk}/log?limit=2&after={first['next']}").json()
    third = api.get(f"/jobs/{job.pk}/log?limit=2&after={second['next']}").json()

    assert [line["message"] for line in first["lines"] + second["lines"]] == ["a", "b", "c"]
    assert third == {"lines": [], "next": second["next"]}


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "wait=soon", "after=1.5"])
def test_nonsense_in_the_query_is_refused(api: Api, query: str):
    answer = api.get(f"/jobs/{active().pk}/log?{query}")

    assert answer.status_code == 400
    assert answer.json()["details"][0]["path"] == [query.partition("=")[0]]


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["", "?wait=1"])
def test_the_log_of_no_job_is_not_found(api: Api, query: str):
    assert api.get(f"/jobs/999/log{query}").status_code == 404


@pytest.mark.django_db
def test_a_log_needs_a_token(api: Api):
    assert api.get(f"/jobs/{active().pk}/log", Authorization="").status_code == 401


@committed
def test_waiting_ends_with_the_next_line(api: Api):
    job = active()
    began = time.monotonic()
    writer = later(0.3, lambda: write_lines(job, "here I am"))

    answer = api.get(f"/jobs/{job.pk}/log?wait=20").json()

    assert [line["message"] for line in answer["lines"]] == ["here I am"]
    assert 0.3 < time.monotonic() - began < 5
    writer.join()


@committed
def test_waiting_ends_with_the_job(api: Api):
    claim = start()
    ender = later(0.2, lambda: end_many([completed(claim, {}, at=timezone.now())]))

    answer = api.get(f"/jobs/{claim.job_id}/log?wait=20").json()

    assert answer == {"lines": [], "next": 0}
    assert Job.objects.get(pk=claim.job_id).state == "completed"
    ender.join()


@committed
def test_nobody_waits_for_lines_of_a_job_that_has_ended(api: Api):
    job = waiting(state="completed")
    began = time.monotonic()

    answer = api.get(f"/jobs/{job.pk}/log?wait=20").json()

    assert answer == {"lines": [], "next": 0}
    assert time.monotonic() - began < 5


@committed
def test_waiting_in_vain_answers_with_nothing(api: Api):
    answer = api.get(f"/jobs/{active().pk}/log?wait=1&after=7")

    assert answer.status_code == 200
    assert answer.json() == {"lines": [], "next": 7}


@committed
def test_no_line_appears_after_one_with_a_larger_number():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    first, second = start(), start()

    with transaction.atomic():
        say(first, "first")
        writer = later(0, partial(say, second, "second"))
        writer.join(0.5)
        assert writer.is_alive()  # it may not overtake a transaction that has its number already

    writer.join(10)
    assert list(LogLine.objects.order_by("pk").values_list("message", flat=True)) == ["first", "second"]


def say(claim: Claim, message: str) -> None:
    reporter = Reporter(claim)
    reporter.log(message, "info")
    reporter.close()
