"""The order of waiting jobs."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.ranking import AGE_STEP, rank_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PRIORITIES = st.integers(1, 10)


def test_of_two_at_the_same_time_the_more_urgent_comes_first() -> None:
    ranks = [rank_of(priority, NOON) for priority in range(1, 11)]

    assert all(sooner < later for sooner, later in pairwise(ranks))


def test_of_two_as_urgent_the_older_comes_first() -> None:
    assert rank_of(5, NOON) < rank_of(5, NOON + timedelta(milliseconds=1))


def test_a_job_that_has_waited_an_age_step_counts_as_one_priority_more_urgent() -> None:
    assert rank_of(6, NOON) == rank_of(5, NOON + AGE_STEP)


def test_the_least_urgent_job_is_passed_by_new_ones_for_nine_steps_at_most() -> None:
    assert rank_of(10, NOON) < rank_of(1, NOON + 9 * AGE_STEP + timedelta(milliseconds=1))


@given(MOMENTS, MOMENTS, PRIORITIES)
def test_more_time_never_makes_a_job_sooner(one: datetime, other: datetime, priority: int) -> None:
    assert (rank_of(priority, one) <= rank_of(priority, other)) or one > other


@pytest.mark.parametrize("priority", [1, 10])
def test_the_last_moment_there_is_has_a_rank(priority: int) -> None:
    rank = rank_of(priority, datetime.max.replace(tzinfo=UTC))

    assert 0 < rank < 2**63
