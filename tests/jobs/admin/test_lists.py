"""The list of jobs: what it is narrowed to, its pages, and what it costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.admin.filters import Wanted
from jobs.listing import JobFilter
from tests.jobs.making import PING, active, ended, waiting

pytestmark = pytest.mark.django_db

LIST = "/admin/jobs/job/"


def shown(answer: Any) -> list[int]:
    return [row["job"].pk for row in answer.context["rows"]]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [3, 2, 1, 0]),
        ("?state=failed", [1]),
        ("?state=lost", [3, 2, 1, 0]),
        ("?jobType=ping", [2]),
        ("?scheduleId=sch_1", [3]),
        ("?since=1h", [3, 2, 1]),
        ("?q=no+feed", [1]),
        ("?q=ping", [2]),
        ("?state=completed&jobType=slow", [0]),
    ],
)
def test_the_list_is_narrowed_as_the_api_does(viewer: Client, query: str, numbers: list[int]) -> None:
    jobs = [
        ended(at=timezone.now() - timedelta(days=2)),
        ended("failed", error="No feed could be read."),
        waiting(PING),
        waiting(schedule_id="sch_1"),
    ]

    assert shown(viewer.get(LIST + query)) == [jobs[number].pk for number in numbers]


def test_a_number_finds_its_job(viewer: Client) -> None:
    job, _ = waiting(), waiting()

    assert shown(viewer.get(LIST, {"q": str(job.pk)})) == [job.pk]


def test_what_is_no_span_of_time_is_told_and_left_out(viewer: Client) -> None:
    job = waiting()

    answer = viewer.get(LIST, {"since": "yesteryear"})

    assert shown(answer) == [job.pk]
    assert "yesteryear" in answer.content.decode()


@pytest.mark.parametrize("query", ["before=x", "before=99999999999999999999", "q=%00", "since=9e9d", "state=%27"])
def test_odd_queries_are_answered(viewer: Client, query: str) -> None:
    waiting()

    assert viewer.get(f"{LIST}?{query}").status_code == 200


def test_a_page_begins_below_the_one_before(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wanted, "filter", lambda wanted, _now: JobFilter(limit=2, before=wanted.before))
    jobs = [waiting() for _ in range(3)]

    first = viewer.get(LIST)
    second = viewer.get(LIST + first.context["older"])

    assert shown(first) == [jobs[2].pk, jobs[1].pk]
    assert shown(second) == [jobs[0].pk]
    assert (second.context["older"], first.context["newest"]) == ("", "")


def test_no_query_counts_jobs_or_skips_them(viewer: Client) -> None:
    active()
    ended()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        viewer.get(LIST)

    of_jobs = [query["sql"] for query in queries if 'FROM "jobs_job"' in query["sql"]]
    counting = [sql for sql in of_jobs if "COUNT(" in sql]
    assert of_jobs
    assert not [sql for sql in of_jobs if "OFFSET" in sql]
    # Those that have not ended are few, and an index holds only them.
    assert all("state = '" in sql and "completed" not in sql for sql in counting)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "No jobs yet"),
        ("?state=failed", "Nothing has failed here."),
        ("?q=x", "No job fits"),
        ("?before=1", "older"),
    ],
)
def test_an_empty_list_says_what_to_do(operator: Client, query: str, says: str) -> None:
    assert says in operator.get(LIST + query).content.decode()


def test_what_jobs_say_is_no_html(viewer: Client) -> None:
    ended(summary="<script>alert(1)</script>")

    assert "<script>alert" not in viewer.get(LIST).content.decode()


def test_nobody_sees_it_without_the_permission(client: Client) -> None:
    assert client.get(LIST).status_code == 302
