"""When an ended process is started again."""

import pytest

from pirunner.up.backoff import failures_after, restart_delay


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0.2), (1, 0.4), (2, 0.8), (5, 6.4), (6, 10.0), (7, 10.0), (5_000, 10.0)]
)
def test_the_delay_doubles_up_to_its_bound(failures: int, seconds: float):
    assert restart_delay(failures) == pytest.approx(seconds)


@pytest.mark.parametrize(("failures", "lived", "counted"), [(5, 59.9, 5), (5, 60.0, 0), (0, 1.0, 0)])
def test_a_minute_of_health_is_forgiven(failures: int, lived: float, counted: int):
    assert failures_after(failures, lived) == counted
