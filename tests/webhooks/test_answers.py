"""What follows from how an attempt went, as tables."""

import pytest

from tests.webhooks.making import NOON
from webhooks.answers import Answer, state_after
from webhooks.models import Delivery


def answer(status: int | None = None, error: str = "", *, permanent: bool = False) -> Answer:
    return Answer(at=NOON, ms=5, status=status, error=error, permanent=permanent)


@pytest.mark.parametrize(
    ("given", "tries", "state"),
    [
        (answer(200), 1, "delivered"),
        (answer(299), 99, "delivered"),
        (answer(199), 1, "pending"),
        (answer(302), 1, "pending"),
        (answer(500), 9, "pending"),
        (answer(500), 10, "dead"),
        (answer(500), 11, "dead"),
        (answer(410, permanent=True), 1, "dead"),
        (answer(None, "address_refused", permanent=True), 1, "dead"),
        (answer(None, "connection_failed"), 1, "pending"),
    ],
)
def test_where_a_delivery_stands_after_an_attempt(given: Answer, tries: int, state: str) -> None:
    assert state_after(given, tries=tries, allowed=10) is Delivery.State(state)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_host_that_has_too_much_to_do_is_blamed(status: int) -> None:
    assert answer(status).slow_down
    assert answer(status).blames_host


@pytest.mark.parametrize("error", ["connection_failed", "tls_failed", "deadline_exceeded", "name_not_resolved"])
def test_a_host_that_cannot_be_reached_is_blamed(error: str) -> None:
    assert answer(None, error).blames_host
    assert not answer(None, error).slow_down


@pytest.mark.parametrize(
    "given",
    [
        answer(200),
        answer(302),
        answer(404),
        answer(410),
        answer(500),
        answer(None, "url_refused"),
        answer(None, "internal_error"),
    ],
)
def test_for_everything_else_the_host_is_not_blamed(given: Answer) -> None:
    assert not given.blames_host
