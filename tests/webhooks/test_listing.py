"""Pages of deliveries, and the indexes behind them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.webhooks.making import NOON, delivery
from webhooks.listing import DeliveryFilter, batch_in_time, deliveries_below, list_deliveries
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
PENDING, DELIVERED, DEAD = Delivery.State.PENDING, Delivery.State.DELIVERED, Delivery.State.DEAD


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [3, 2, 1, 0]),
        ({"state": PENDING}, [0]),
        ({"state": DELIVERED}, [2]),
        ({"state": DEAD}, [3, 1]),
        ({"state": DEAD, "host": "a.example"}, [1]),
        ({"host": "a.example"}, [2, 1, 0]),
        ({"job_id": 8}, [3, 2]),
        ({"job_id": 8, "state": DEAD}, [3]),
        ({"host": "nobody.example"}, []),
    ],
)
def test_a_filter_keeps_what_fits_newest_first(wanted: dict[str, Any], numbers: list[int]) -> None:
    rows = [
        delivery("http://a.example/", state=PENDING, job_id=7),
        delivery("http://a.example/", state=DEAD, job_id=7),
        delivery("http://a.example/", state=DELIVERED, job_id=8),
        delivery("http://b.example/", state=DEAD, job_id=8),
    ]

    page = list_deliveries(DeliveryFilter(**wanted), limit=10)

    assert list(page.deliveries) == [rows[number] for number in numbers]
    assert page.next_before is None


def test_a_page_says_where_the_next_one_begins() -> None:
    rows = [delivery("http://a.example/") for _ in range(5)]
    seen: list[Delivery] = []
    before: int | None = 10**18
    pages = 0
    while before is not None:
        page = list_deliveries(DeliveryFilter(before=before), limit=2)
        seen += page.deliveries
        before = page.next_before
        pages += 1

    assert seen == rows[::-1]
    assert pages == 3


def test_a_batch_keeps_to_the_times_and_ends_with_what_is_too_old() -> None:
    rows = [delivery("http://a.example/", created_at=NOON + HOUR * hour) for hour in range(6)]
    wanted = DeliveryFilter(since=NOON + 2 * HOUR, until=NOON + 5 * HOUR)

    first, rest = batch_in_time(wanted, looks=3)
    assert rest is not None
    second, end = batch_in_time(rest, looks=3)

    assert first == [rows[4], rows[3]]
    assert second == [rows[2]]
    assert end is None


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "PRIMARY KEY"),
        ({"state": DELIVERED}, "PRIMARY KEY"),
        ({"state": PENDING}, "delivery_pending"),
        ({"state": DEAD}, "delivery_dead"),
        ({"host": "a.example"}, "delivery_to_host"),
        ({"host": "a.example", "state": DELIVERED}, "delivery_to_host"),
        ({"host": "a.example", "state": PENDING}, "delivery_pending_to"),
        ({"host": "a.example", "state": DEAD}, "delivery_dead_to"),
        ({"job_id": 7}, "delivery_of_job"),
        ({"job_id": 7, "state": DEAD, "host": "a.example"}, "delivery_of_job"),
    ],
)
def test_every_list_goes_by_an_index_and_sorts_nothing(wanted: dict[str, Any], index: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL chooses by statistics")

    plan = deliveries_below(DeliveryFilter(**wanted))[:51].explain()

    assert index in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
