"""Reads of jobs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.endings import completed
from jobs.lifecycle import end_many
from jobs.listing import JobFilter, list_jobs
from jobs.models import Job
from jobs.selectors import count_states, find_job, get_job, is_id, oldest_waiting_age
from jobs.states import State
from pirunner.errors import NotFound
from tests.jobs.making import PING, SLOW, active, delayed, start, waiting

pytestmark = pytest.mark.django_db

NO_IDS = ["", " 1", "1 ", "-1", "+1", "1.0", "0x1", "abc", "1/2", "٣", "1e3", "9" * 19, "1\x00", "sysd-1"]


# -- ids ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0", "1", "041", "9" * 18])
def test_digits_are_an_id(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("text", NO_IDS)
def test_anything_else_is_none_and_finds_nothing(text: str) -> None:
    assert not is_id(text)
    assert find_job(text) is None


def test_a_job_is_found_by_its_id() -> None:
    job = waiting()

    assert find_job(str(job.pk)) == job
    assert find_job(str(job.pk + 1)) is None
    assert find_job("9" * 18) is None


def test_getting_a_job_that_is_not_there_is_an_error_without_control_characters() -> None:
    with pytest.raises(NotFound, match=r"'\\n"):
        get_job("\n" * 1000)


# -- lists --------------------------------------------------------------------------------------------------------


def listed(limit: int = 50, **wanted: Any) -> list[int]:
    return [job.pk for job in list_jobs(JobFilter(limit=limit, **wanted)).jobs]


def test_the_newest_come_first_whatever_their_rank() -> None:
    jobs = [waiting(priority=priority) for priority in (1, 10, 5)]

    assert listed() == [job.pk for job in reversed(jobs)]


def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    jobs = [waiting().pk for _ in range(5)]

    first = list_jobs(JobFilter(limit=2))
    waiting()
    assert first.next_before is not None
    second = list_jobs(JobFilter(limit=2, before=first.next_before))
    assert second.next_before is not None
    third = list_jobs(JobFilter(limit=2, before=second.next_before))

    seen = [job.pk for page in (first, second, third) for job in page.jobs]
    assert seen == jobs[::-1]
    assert third.next_before is None


def test_a_page_that_is_just_full_is_the_last() -> None:
    waiting()
    waiting()

    assert list_jobs(JobFilter(limit=2)).next_before is None


@pytest.mark.parametrize("state", State)
def test_of_one_state(state: State) -> None:
    for other in State:
        if other == State.ACTIVE:
            active()
        else:
            waiting(state=other)

    assert [Job.objects.get(pk=pk).state for pk in listed(state=state)] == [state]


def test_of_one_type() -> None:
    pings = [waiting(PING), waiting(PING, state="completed", finished_at=timezone.now())]
    waiting(SLOW)

    assert listed(job_type="ping") == [pings[1].pk, pings[0].pk]
    assert listed(job_type="ping", state=State.WAITING) == [pings[0].pk]
    assert listed(job_type="ping", state=State.COMPLETED) == [pings[1].pk]
    assert listed(job_type="none") == []


def test_since_a_moment() -> None:
    now = timezone.now()
    waiting(since=now - timedelta(hours=2))
    new = waiting(since=now)

    page = list_jobs(JobFilter(limit=1, since=now - timedelta(hours=1)))

    assert [job.pk for job in page.jobs] == [new.pk]
    assert page.next_before is None


@pytest.mark.parametrize("text", ["SLO", "brief", "No Price"])
def test_by_a_part_of_type_summary_or_failure(text: str) -> None:
    found = waiting(summary="5-item brief", error="no price")
    waiting(PING)

    assert listed(text=text) == [found.pk]


def test_by_id() -> None:
    job = waiting()
    waiting()

    assert job.pk in listed(text=str(job.pk))


@pytest.mark.parametrize("text", ["%", "_", "\\", "'; DROP TABLE jobs_job; --"])
def test_a_search_means_its_characters(text: str) -> None:
    waiting(summary="nothing")

    assert listed(text=text) == []


# -- numbers ------------------------------------------------------------------------------------------------------


def test_counts_name_every_state() -> None:
    before = count_states()
    waiting(priority=1)
    waiting()
    delayed(due_at=timezone.now())
    active()

    after = count_states()

    assert set(after) == {state.value for state in State}
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "waiting": 2,
        "delayed": 1,
        "active": 1,
    }


def test_an_ended_job_is_counted() -> None:
    before = count_states()["completed"]

    end_many([completed(start(), {}, at=timezone.now())])

    assert count_states()["completed"] == before + 1


def test_the_oldest_waiting_job_is_the_one_that_waits_longest_not_the_most_urgent() -> None:
    now = timezone.now()
    waiting(since=now - timedelta(seconds=90), priority=10)
    waiting(since=now - timedelta(seconds=30), priority=1)

    assert oldest_waiting_age(now) == pytest.approx(90)


def test_nothing_waits() -> None:
    active()

    assert oldest_waiting_age(timezone.now()) is None


def test_a_clock_that_was_set_back_makes_no_negative_age() -> None:
    now = timezone.now()
    waiting(since=now + timedelta(seconds=30))

    assert oldest_waiting_age(now) == 0.0
