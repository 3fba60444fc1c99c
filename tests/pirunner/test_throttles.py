"""Buckets: how often something may be done."""

import pytest

from pirunner.throttles import Buckets, neighbourhood


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_as_many_as_a_minute_holds_go_at_once(clock: Clock) -> None:
    buckets = Buckets(clock=clock)

    assert [buckets.take("a", 3) for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a", 3) == pytest.approx(20)


def test_a_bucket_fills_up_evenly_and_no_higher(clock: Clock) -> None:
    buckets = Buckets(clock=clock)
    for _ in range(3):
        buckets.take("a", 3)
    clock.now += 20

    assert [buckets.take("a", 3), buckets.take("a", 3)] == [0, pytest.approx(20)]
    clock.now += 3600
    assert [buckets.take("a", 3) > 0 for _ in range(4)] == [False, False, False, True]


def test_names_do_not_disturb_each_other(clock: Clock) -> None:
    buckets = Buckets(clock=clock)
    buckets.take("a", 1)

    assert buckets.take("b", 1) == 0


def test_memory_is_bounded(clock: Clock) -> None:
    buckets = Buckets(most=10, clock=clock)
    for number in range(1000):
        buckets.take(str(number), 1)

    assert len(buckets) == 10
    assert buckets.take("999", 1) > 0


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_what_one_client_can_change_easily_is_one_neighbourhood(address: str, name: str) -> None:
    assert neighbourhood(address) == name
