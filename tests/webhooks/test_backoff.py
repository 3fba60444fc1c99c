"""When a callback is tried again, as tables."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.backoff import delay_before, parse_retry_after, patience, pause_after

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = 3600.0


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [
        (1, 0),
        (2, 5),
        (3, 300),
        (4, 1800),
        (5, 2 * HOUR),
        (6, 5 * HOUR),
        (7, 10 * HOUR),
        (8, 14 * HOUR),
        (9, 20 * HOUR),
        (10, 24 * HOUR),
        (11, 24 * HOUR),
        (1000, 24 * HOUR),
    ],
)
def test_without_a_base_the_delays_are_those_of_standard_webhooks(attempt: int, seconds: float) -> None:
    assert delay_before(attempt, base_ms=0, jitter=0, retry_after=None) == seconds


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [(1, 0), (2, 0.5), (3, 1), (4, 2), (12, 512), (19, 65536), (20, 24 * HOUR), (10**6, 24 * HOUR)],
)
def test_a_base_is_doubled_up_to_a_day(attempt: int, seconds: float) -> None:
    assert delay_before(attempt, base_ms=500, jitter=0, retry_after=None) == seconds


@pytest.mark.parametrize(("jitter", "seconds"), [(-1, 240), (-0.5, 270), (0, 300), (1, 360), (7, 360)])
def test_jitter_moves_the_delay_by_a_fifth_at_most(jitter: float, seconds: float) -> None:
    assert delay_before(3, base_ms=0, jitter=jitter, retry_after=None) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("attempt", "retry_after", "seconds"),
    [
        (1, 600, 0),
        (2, 0, 5),
        (2, 60, 60),
        (2, 7200, HOUR),
        (3, 299, 300),
        (5, 3 * HOUR, 3 * HOUR),
        (5, 9 * HOUR, 4 * HOUR),
        (5, 1, 2 * HOUR),
    ],
)
def test_retry_after_is_honoured_within_bounds(attempt: int, retry_after: float, seconds: float) -> None:
    assert delay_before(attempt, base_ms=0, jitter=0, retry_after=retry_after) == seconds


@pytest.mark.parametrize("attempt", [0, -1])
def test_there_is_no_attempt_before_the_first(attempt: int) -> None:
    with pytest.raises(ValueError, match="count from 1"):
        delay_before(attempt, base_ms=0, jitter=0, retry_after=None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("9999999999", 9999999999),
        ("Tue, 10 Mar 2026 12:00:30 GMT", 30),
        ("Tuesday, 10-Mar-26 12:00:30 GMT", 30),
        ("Tue Mar 10 12:00:30 2026", 30),
        ("Tue, 10 Mar 2026 13:00:00 +0100", 0),
        ("Tue, 10 Mar 2026 12:01:00 -0000", 60),
        ("Tue, 10 Mar 2025 12:00:00 GMT", 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(value: str, seconds: float) -> None:
    assert parse_retry_after(value, now=NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [None, "", "soon", "-5", "1.5", "1e3", "٣", "nan", "1" * 400, "Tue, 99 Mar 2026 12:00 GMT", "2026-03-10"],
)
def test_a_retry_after_that_is_garbage_counts_as_none(value: str | None) -> None:
    assert parse_retry_after(value, now=NOW) is None


@given(st.text())
def test_no_retry_after_raises(value: str) -> None:
    seconds = parse_retry_after(value, now=NOW)

    assert seconds is None or seconds >= 0


@given(st.integers(min_value=0, max_value=10**7))
def test_a_date_is_counted_from_now_in_any_zone(seconds: int) -> None:
    moment = (NOW + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert parse_retry_after(format_datetime(moment), now=NOW) == seconds


# -- the pause of a host ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 0), (2, 0), (3, 1), (4, 2), (5, 4), (11, 256), (12, 300), (10**6, 300)]
)
def test_a_host_that_keeps_failing_is_paused(failures: int, seconds: float) -> None:
    assert pause_after(failures, slow_down=False, retry_after=None, base_ms=0) == seconds


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (10, 300)])
def test_a_host_that_asks_for_less_is_paused_at_once(failures: int, seconds: float) -> None:
    assert pause_after(failures, slow_down=True, retry_after=None, base_ms=0) == seconds


@pytest.mark.parametrize(
    ("slow_down", "retry_after", "seconds"),
    [(True, 0, 1), (True, 90, 90), (True, 86_400, HOUR), (False, 90, 0)],
    ids=["it never shortens", "it lengthens", "up to an hour", "only where it asks for less"],
)
def test_retry_after_lengthens_the_pause(slow_down: bool, retry_after: float, seconds: float) -> None:
    assert pause_after(1, slow_down=slow_down, retry_after=retry_after, base_ms=0) == seconds


@pytest.mark.parametrize(("base_ms", "seconds"), [(100, 0.1), (1000, 1), (60_000, 1)])
def test_a_quick_plan_has_short_pauses(base_ms: int, seconds: float) -> None:
    assert pause_after(3, slow_down=False, retry_after=None, base_ms=base_ms) == seconds


# -- how long an overdue delivery is kept ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "base_ms", "seconds"),
    [
        (10, 0, 272_105),
        (2, 5 * 3_600_000, 5 * HOUR),
        (3, 5 * 3_600_000, 15 * HOUR),
        (1, 0, HOUR),
        (3, 1000, HOUR),
        (10**9, 0, 5 + 300 + 1800 + 61 * HOUR + 40 * 24 * HOUR + 14 * HOUR),
    ],
)
def test_a_delivery_may_be_overdue_for_as_long_as_all_its_attempts_take(
    attempts: int, base_ms: int, seconds: float
) -> None:
    assert patience(attempts, base_ms=base_ms) == pytest.approx(seconds, rel=0.02)
