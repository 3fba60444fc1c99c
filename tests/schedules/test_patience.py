"""When leases can be trusted: a table of disturbances, at times in seconds."""

import pytest

from schedules.patience import DRIFT_SECONDS, LEASE_SECONDS, STALL_SECONDS, Patience

START = 1_000_000.0  # seconds since 1970, when the monotonic clock shows 0


def rounds(*moments: tuple[float, float]) -> list[bool]:
    """Return what a new clock decides in its rounds, each at (time of day since the start, monotonic time)."""
    patience = Patience()
    return [patience.is_over(wall=START + wall, steady=steady) for wall, steady in moments]


def quiet(since: float, until: float, *, ahead: float = 0.0) -> list[tuple[float, float]]:
    """Return rounds every second, while the time of day is ahead of the monotonic clock by so much."""
    return [(steady + ahead, steady) for steady in map(float, range(int(since), int(until) + 1))]


def test_a_new_clock_watches_for_one_lease_before_it_trusts_any() -> None:
    assert rounds(*quiet(0, 20)) == [False] * 15 + [True] * 6


@pytest.mark.parametrize(
    ("disturbance", "trusted"),
    [
        ([(21, 21)], True),
        ([(25, 25)], True),
        ([(25.1, 25.1)], False),
        ([(3600, 3600)], False),
        ([(21 + 2, 21)], True),
        ([(21 + 2.1, 21)], False),
        ([(21 - 2.1, 21)], False),
        ([(21 - 3600, 21)], False),
        ([(20, 20)], True),
    ],
    ids=[
        "the next round",
        "a stall of 5 s",
        "a longer stall",
        "an hour of sleep",
        "the clock set by 2 s",
        "set by more",
        "set back",
        "set back an hour",
        "no time at all",
    ],
)
def test_a_round_after_trusted_ones(disturbance: list[tuple[float, float]], trusted: bool) -> None:
    assert rounds(*quiet(0, 20), *disturbance)[-1] is trusted


def test_after_a_disturbance_it_watches_for_one_lease_again() -> None:
    decisions = rounds(*quiet(0, 20), *quiet(30, 50))

    assert decisions[21:] == [False] * 15 + [True] * 6


def test_a_disturbance_while_it_watches_begins_the_wait_anew() -> None:
    decisions = rounds(*quiet(0, 10), *quiet(20, 40))

    assert decisions == [False] * 11 + [False] * 15 + [True] * 6


def test_a_clock_that_was_set_and_stays_set_is_a_single_disturbance() -> None:
    decisions = rounds(*quiet(0, 20), *quiet(21, 40, ahead=3600.0))

    assert decisions.index(True, 21) == 21 + 15


def test_a_clock_that_drifts_slowly_is_none() -> None:
    moments = [(steady * 1.1, float(steady)) for steady in range(40)]

    assert rounds(*moments)[-1]


def test_a_stall_that_the_monotonic_clock_did_not_see_is_one() -> None:
    """Linux's monotonic clock stands still while the machine sleeps; the time of day does not."""
    assert not rounds(*quiet(0, 20), (20 + 600, 21))[-1]


def test_a_database_that_takes_no_writes_is_one_as_long_as_it_lasts() -> None:
    patience = Patience()
    decisions = [
        patience.is_over(wall=START + second, steady=second, writable=not 20 <= second <= 40) for second in range(60)
    ]

    assert decisions == [15 <= second < 20 or second >= 40 + 15 for second in range(60)]


def test_the_numbers_fit_the_promise_of_twenty_seconds() -> None:
    assert LEASE_SECONDS + DRIFT_SECONDS < 20
    assert STALL_SECONDS < LEASE_SECONDS
