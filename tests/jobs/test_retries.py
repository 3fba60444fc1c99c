"""The pause before the next attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.retries import JITTER_SHARE, LONGEST_DELAY, retry_delay


@pytest.mark.parametrize(
    ("attempts_made", "seconds"),
    [(1, 5.0), (2, 10.0), (3, 20.0), (4, 40.0), (10, 2560.0), (11, 3600.0), (1000, 3600.0), (10**9, 3600.0)],
)
def test_it_doubles_with_each_attempt_up_to_an_hour(attempts_made: int, seconds: float) -> None:
    assert retry_delay(attempts_made, base_seconds=5.0, jitter=0.0) == seconds


@pytest.mark.parametrize(("jitter", "seconds"), [(-1.0, 8.0), (-0.5, 9.0), (0.0, 10.0), (1.0, 12.0)])
def test_jitter_moves_it_by_a_fifth_at_most(jitter: float, seconds: float) -> None:
    assert retry_delay(1, base_seconds=10.0, jitter=jitter) == pytest.approx(seconds)


def test_a_type_without_back_off_is_retried_at_once() -> None:
    assert retry_delay(3, base_seconds=0.0, jitter=1.0) == 0.0


@given(st.integers(1, 10_000), st.floats(0, 1e6), st.floats(-1, 1))
def test_it_is_never_negative_nor_much_longer_than_an_hour(attempts: int, base: float, jitter: float) -> None:
    delay = retry_delay(attempts, base_seconds=base, jitter=jitter)

    assert 0.0 <= delay <= LONGEST_DELAY * (1 + JITTER_SHARE)
