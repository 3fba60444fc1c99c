"""``GET /jobs``: filters, pages, search; and that an index serves them all."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import listing
from jobs.listing import JobFilter, jobs_below
from jobs.models import Job
from jobs.selectors import count_open_of_schedules
from jobs.states import State
from tests.jobs.making import NOON, PING, SLOW, active, delayed, ended, waiting
from tests.parts import Api

pytestmark = pytest.mark.django_db
on_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL reads a small table as a whole whatever index it has"
)


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [int(job["id"]) for job in answer.json()]


def next_page(answer: Any) -> str | None:
    link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
    return link and link[1]


def all_pages(api: Api, path: str) -> list[list[int]]:
    pages: list[list[int]] = []
    address: str | None = path
    while address:
        answer = api.get(address)
        pages.append(ids(answer))
        address = next_page(answer)
    return pages


# -- pages --------------------------------------------------------------------------------------------------------


def test_pages_follow_the_link_without_gap_or_repetition(api: Api):
    jobs = [waiting().pk for _ in range(7)]

    pages = all_pages(api, "/jobs?limit=3")

    assert [len(page) for page in pages] == [3, 3, 1]
    assert list(itertools.chain(*pages)) == jobs[::-1]


def test_a_job_that_comes_meanwhile_does_not_shift_the_pages(api: Api):
    jobs = [waiting().pk for _ in range(4)]
    first = api.get("/jobs?limit=2")
    waiting()

    second = api.get(next_page(first) or "")

    assert ids(first) + ids(second) == jobs[::-1]


def test_the_last_page_has_no_link(api: Api):
    for _ in range(2):
        waiting()

    assert next_page(api.get("/jobs?limit=2")) is None


def test_the_link_keeps_the_filters(api: Api):
    for _ in range(3):
        waiting(PING)
        waiting(SLOW)

    answer = api.get("/jobs?limit=2&jobType=ping&state=waiting")

    assert "jobType=ping" in (next_page(answer) or "")
    assert [len(page) for page in all_pages(api, "/jobs?limit=2&jobType=ping&state=waiting")] == [2, 1]


# -- filters ------------------------------------------------------------------------------------------------------


def test_state_and_type_filter_together(api: Api):
    now = timezone.now()
    rows = {
        (state, kind.name): make(kind).pk
        for kind in (PING, SLOW)
        for state, make in {
            "waiting": waiting,
            "active": active,
            "delayed": lambda kind: delayed(kind, due_at=now),
            "completed": lambda kind: ended("completed", kind),
            "failed": lambda kind: ended("failed", kind),
            "cancelled": lambda kind: ended("cancelled", kind),
        }.items()
    }

    for (state, kind_name), job_id in rows.items():
        assert ids(api.get(f"/jobs?state={state}&jobType={kind_name}")) == [job_id]
    assert len(ids(api.get("/jobs?jobType=ping"))) == 6
    assert len(ids(api.get("/jobs?state=failed"))) == 2


def test_a_type_that_does_not_exist_has_no_jobs(api: Api):
    waiting()

    assert ids(api.get("/jobs?jobType=nothing")) == []


def test_the_jobs_of_a_schedule(api: Api):
    waiting()
    first, other, second = (waiting(schedule_id=name) for name in ("sched-1", "sched-2", "sched-1"))

    assert ids(api.get("/jobs?scheduleId=sched-1")) == [second.pk, first.pk]
    assert ids(api.get("/jobs?scheduleId=sched-2&state=waiting")) == [other.pk]
    assert ids(api.get("/jobs?scheduleId=sched-2&state=failed")) == []
    assert ids(api.get("/jobs?scheduleId=41")) == []


@pytest.mark.parametrize(
    "since",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T17:30:00+05:30",
        "2026-03-01T12:00:00",
        "2026-03-01 12:00",
        str(int(NOON.timestamp() * 1000)),
    ],
)
def test_since_takes_iso_or_milliseconds(api: Api, since: str):
    waiting(since=NOON - timedelta(milliseconds=1))
    exact, later = waiting(since=NOON), waiting(since=NOON + timedelta(days=1))

    assert ids(api.get(f"/jobs?since={quote(since)}")) == [later.pk, exact.pk]


def test_an_offset_whose_plus_became_a_blank_is_understood(api: Api):
    waiting(since=NOON - timedelta(hours=1))
    job = waiting(since=NOON)

    assert ids(api.get("/jobs?since=2026-03-01T17:30:00+05:30")) == [job.pk]


def test_a_time_without_an_offset_is_in_the_owners_zone(api: Api, settings: Any):
    settings.TIME_ZONE = "Asia/Kolkata"
    waiting(since=NOON - timedelta(hours=1))
    job = waiting(since=NOON)

    assert ids(api.get("/jobs?since=2026-03-01T17:30:00")) == [job.pk]


def test_since_ends_the_pages(api: Api):
    for hour in range(6):
        waiting(since=NOON + timedelta(hours=hour))

    assert [len(page) for page in all_pages(api, "/jobs?limit=2&since=2026-03-01T13:00:00Z")] == [2, 2, 1]


def test_a_job_from_a_wrong_clock_is_left_out_and_hides_none(api: Api):
    before, _, after = (waiting(since=moment) for moment in (NOON, datetime(1970, 1, 1, tzinfo=UTC), NOON))

    assert ids(api.get("/jobs?since=2026-03-01T12:00:00Z")) == [after.pk, before.pk]


@pytest.mark.parametrize(
    "query",
    [
        *(
            "since=yesterday",
            "since=",
            "since=2026-13-01",
            "since=0001-01-01T00:00:00%2B05:00",
            "since=9999999999999999",
        ),
        *(
            "state=done",
            "limit=0",
            "before=x",
            "jobType=",
            "jobType=%00",
            "q=",
            "q=%00",
            "q=" + "x" * 201,
            "scheduleId=",
        ),
    ],
)
def test_nonsense_in_the_query_is_refused(api: Api, query: str):
    answer = api.get(f"/jobs?{query}")

    assert answer.status_code == 400
    assert answer.json()["details"][0]["path"] == [query.partition("=")[0]]


# -- search -------------------------------------------------------------------------------------------------------


def test_the_search_looks_at_id_type_summary_and_failure(api: Api):
    by_type = ended(kind=PING)
    by_summary = ended(summary="Generated 5-item crypto BRIEF")
    by_failure = ended("failed", error="no Brief: 100% of the feeds failed")

    assert ids(api.get("/jobs?q=brief")) == [by_failure.pk, by_summary.pk]
    assert ids(api.get("/jobs?q=pin")) == [by_type.pk]
    assert by_summary.pk in ids(api.get(f"/jobs?q={by_summary.pk}"))
    assert ids(api.get("/jobs?q=100%25")) == [by_failure.pk]
    assert ids(api.get("/jobs?q=briefs")) == []
    assert ids(api.get("/jobs?q=brief&state=failed")) == [by_failure.pk]


def test_a_sign_of_sql_is_only_a_sign(api: Api):
    ended(summary="abc")

    for text in ("%", "_", "a_c", "'", "\\", '"; DROP TABLE jobs_job; --'):
        assert ids(api.get(f"/jobs?q={quote(text)}")) == []


def test_the_search_looks_at_the_newest_only(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listing, "SEARCHED", 3)
    jobs = [ended(summary="found") for _ in range(5)]

    assert ids(api.get("/jobs?q=found")) == [job.pk for job in jobs[:1:-1]]


# -- cost ---------------------------------------------------------------------------------------------------------

FILTERS = [
    JobFilter(limit=50, before=before, state=state, job_type=job_type, text=text, schedule_id=schedule_id)
    for before in (listing.LARGEST_ID, 500)
    for schedule_id in (None, "sched-1")
    for state in (None, *State)
    for job_type in (None, "ping")
    for text in (None, "brief", "17")
]


def plan_of(wanted: JobFilter) -> str:
    """Return how the database finds a page; PostgreSQL would read so small a table as a whole, if it might."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    return jobs_below(wanted)[: wanted.limit + 1].explain()


def test_an_index_serves_every_combination_of_filters():
    for wanted in FILTERS:
        plan = plan_of(wanted)
        read_as_a_whole = re.search(r"SCAN jobs_job|Seq Scan", plan)
        sorted_by_itself = re.search(r"TEMP B-TREE|Sort", plan)
        assert not read_as_a_whole, (wanted, plan)
        assert not sorted_by_itself, (wanted, plan)


@on_sqlite
def test_of_the_many_ended_jobs_only_those_of_the_state_and_type_are_read():
    for state in State:
        few = state in {State.DELAYED, State.WAITING, State.ACTIVE}
        index = "job_state (state=?" if few else "job_type_ended (job_type=? AND state=?"
        assert index in plan_of(JobFilter(limit=50, state=state, job_type="ping"))


@on_sqlite
def test_the_jobs_of_a_schedule_are_found_by_their_own_index_whatever_else_is_asked_for():
    for wanted in FILTERS:
        if wanted.schedule_id:
            assert re.search(r"USING INDEX job_of_schedule \(schedule_id=\?", plan_of(wanted)), (
                wanted,
                plan_of(wanted),
            )


@on_sqlite
def test_the_open_jobs_of_a_schedule_or_key_are_found_by_an_index():
    assert "INDEX job_open_of_schedule (schedule_id=?" in Job.objects.open_of_schedule("sched-1").explain()
    assert "INDEX job_key (concurrency_key=?" in Job.objects.open_of_key("briefs").explain()
    with CaptureQueriesContext(connection) as queries:
        count_open_of_schedules(["sched-1", "sched-2"])
    with connection.cursor() as cursor:
        plan = cursor.execute(f"EXPLAIN QUERY PLAN {queries[0]['sql']}").fetchall()
    assert "INDEX job_open_of_schedule (schedule_id=?" in str(plan)


def test_no_page_is_found_by_counting(api: Api):
    for _ in range(5):
        waiting()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        all_pages(api, "/jobs?limit=2")

    assert not [query["sql"] for query in queries if "OFFSET" in query["sql"].upper()]
    assert Job.objects.count() == 5


def test_contents_too_large_for_a_list_are_left_out_of_it_and_said_so(api: Api) -> None:
    large = waiting(input={"text": "x" * 100_000})
    small = waiting(input={"text": "y"})

    jobs = {job["id"]: job for job in api.get("/jobs").json()}

    assert jobs[str(large.pk)]["data"]["input"] is None
    assert jobs[str(large.pk)]["leftOut"] == ["returnvalue", "data.input", "data.metadata"]
    assert jobs[str(small.pk)]["data"]["input"] == {"text": "y"}
    assert "leftOut" not in jobs[str(small.pk)]
    assert api.get(f"/jobs/{large.pk}").json()["data"]["input"] == {"text": "x" * 100_000}
