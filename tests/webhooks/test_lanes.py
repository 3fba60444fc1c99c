"""Lanes: who may be sent to, and how many at a time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.parts import at_once
from tests.webhooks.making import NOON, delivery, failing
from webhooks.lanes import SENDING, Claim, Lane, claim_next, lane_of
from webhooks.models import Delivery, FailingHost

pytestmark = pytest.mark.usefixtures("committed_db")

SECOND = timedelta(seconds=1)
HOST = "agent.example"
URL = f"https://{HOST}/hook"


@pytest.fixture(autouse=True)
def two_slots(owner: Any) -> None:
    owner.CALLBACK_PER_HOST = 2


def take(row: Delivery) -> Claim | None:
    lane = lane_of(row.pk)
    return None if lane is None else claim_next(lane)


@pytest.mark.parametrize(
    ("failures", "paused_for", "slots"),
    [(0, None, 2), (2, timedelta(0), 2), (3, timedelta(0), 1), (3, -SECOND, 1), (3, SECOND, 0), (1, SECOND, 0)],
)
def test_how_many_may_be_sent_at_a_time(failures: int, paused_for: timedelta | None, slots: int) -> None:
    paused_until = None if paused_for is None else NOON + paused_for

    assert Lane(host=HOST, failures=failures, paused_until=paused_until).slots(NOON) == slots


def test_a_claim_counts_the_attempt_and_holds_a_lease() -> None:
    row = delivery(URL, attempts=4, attempts_before_replay=3)

    claim = take(row)

    row.refresh_from_db()
    assert claim is not None
    assert (claim.pk, claim.attempts, claim.tries, claim.url, claim.host) == (row.pk, 5, 2, URL, HOST)
    assert (row.attempts, row.sending) == (5, True)
    assert row.next_attempt_at is not None
    assert timezone.now() < row.next_attempt_at <= timezone.now() + SENDING


def test_whoever_hears_a_ring_takes_what_is_longest_due_in_the_lane() -> None:
    now = timezone.now()
    rung = delivery(URL, next_attempt_at=now - SECOND)
    oldest = delivery(URL, next_attempt_at=now - 3 * SECOND)
    delivery("https://other.example/", next_attempt_at=now - 9 * SECOND)

    claims = [take(rung), take(rung)]

    assert [claim and claim.pk for claim in claims] == [oldest.pk, rung.pk]


def test_a_third_one_is_not_sent_and_not_counted() -> None:
    rows = [delivery(URL) for _ in range(3)]

    claims = [take(row) for row in rows]

    assert [claim is None for claim in claims] == [False, False, True]
    rows[2].refresh_from_db()
    assert (rows[2].attempts, rows[2].sending) == (0, False)


def test_another_host_is_not_held_up() -> None:
    for _ in range(2):
        take(delivery(URL))

    assert take(delivery("https://other.example/")) is not None


def test_a_sender_that_died_frees_its_slot_when_its_lease_runs_out() -> None:
    past = timezone.now() - SECOND
    for _ in range(2):
        delivery(URL, sending=True, attempts=1, next_attempt_at=past)

    claims = [take(delivery(URL)) for _ in range(3)]

    assert [claim is None for claim in claims] == [False, False, True]


def test_a_paused_host_gets_nothing_and_one_that_failed_gets_one_at_a_time() -> None:
    rows = [delivery(URL) for _ in range(2)]
    failing(HOST, paused_until=timezone.now() + SECOND)
    assert take(rows[0]) is None

    FailingHost.objects.update(paused_until=timezone.now())

    assert [take(row) is None for row in rows] == [False, True]


def test_of_eight_senders_at_once_two_get_a_slot() -> None:
    rows = [delivery(URL) for _ in range(8)]

    def claimer(row: Delivery) -> Callable[[], Claim | None]:
        return lambda: take(row)

    claims: list[Any] = at_once([claimer(row) for row in rows])

    assert all(claim is None or isinstance(claim, Claim) for claim in claims), claims
    taken = [claim.pk for claim in claims if claim is not None]
    assert len(taken) == len(set(taken)) == 2


def test_what_is_over_has_no_lane() -> None:
    assert lane_of(delivery(URL, state="delivered").pk) is None
    assert lane_of(10**15) is None


def test_a_claim_looks_at_few_rows() -> None:
    """The index of the lanes and that of what is being sent, however many deliveries there are."""
    from webhooks.lanes import _CLAIM, _LANE

    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL chooses by statistics")
    with connection.cursor() as cursor:
        plans = [
            " ".join(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}", ["1"] * sql.count("%s")).fetchall())
            for sql in (_LANE, _CLAIM.format(skip=""))
        ]

    assert "SCAN webhooks" not in " ".join(plans)
    assert "delivery_lane" in plans[1]
    assert all("delivery_sending" in plan for plan in plans)
