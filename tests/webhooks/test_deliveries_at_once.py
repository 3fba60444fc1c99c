"""Several senders of one delivery."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from tests.parts import at_once
from tests.webhooks.loopback import OK, Server
from tests.webhooks.making import answering, attempt, delivery, loopback, make_due
from webhooks.deliveries import attempt_delivery
from webhooks.lanes import SENDING
from webhooks.models import Delivery

__all__ = ["loopback"]

pytestmark = pytest.mark.usefixtures("committed_db")

Serve = Callable[..., Server]


def test_of_several_senders_at_once_one_sends(serve: Serve) -> None:
    server = serve()
    row = delivery(server.url)

    outcomes: list[Any] = at_once([lambda: attempt_delivery(row.pk)] * 4)

    assert sorted(outcomes) == ["delivered", "skipped", "skipped", "skipped"]
    assert len(server.requests) == 1


def test_while_one_sends_nobody_else_does(serve: Serve) -> None:
    row = delivery("")
    others: list[str] = []

    def look(stream: Any) -> None:
        others.extend(at_once([lambda: attempt_delivery(row.pk)]))  # type: ignore[arg-type]
        stream.sendall(OK)

    row.url = serve(look).url
    row.save()

    assert attempt(row) == "delivered"
    assert others == ["skipped"]


def test_when_a_sender_dies_the_next_one_sends_after_its_lease(serve: Serve) -> None:
    now = timezone.now()
    row = delivery(serve().url, attempts=1, next_attempt_at=now + SENDING)
    assert attempt(row) == "skipped"
    make_due(row)

    assert attempt(row) == "delivered"
    assert row.attempts == 2


def test_a_sender_that_was_overtaken_records_nothing(serve: Serve) -> None:
    row = delivery("")

    def overtake(stream: Any) -> None:
        at_once([lambda: Delivery.objects.filter(pk=row.pk).update(attempts=9)])
        stream.sendall(answering(500))

    row.url = serve(overtake).url
    row.save()

    attempt(row)

    assert (row.attempts, row.last_status) == (9, None)


def test_a_delivery_that_is_not_there_is_skipped() -> None:
    assert attempt_delivery(10**15) == "skipped"
