"""Which secrets sign: the owner's, the one before, and those of endpoints."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.parts import SECRET
from tests.webhooks.loopback import Server
from tests.webhooks.making import NOON, attempt, delivery, loopback
from tests.webhooks.test_deliveries import headers_of
from webhooks.checks import check_secret
from webhooks.endpoints import EndpointRefused, remove_endpoint, rotate_endpoint, save_endpoint
from webhooks.models import Endpoint
from webhooks.signing import SignatureRefused, verify
from webhooks.signing_secrets import is_below, own_secrets, secrets_for

__all__ = ["loopback"]

SECOND = timedelta(seconds=1)
OLD = "the-secret-of-last-year"
OWN = "a-secret-of-their-own"


@pytest.mark.parametrize(
    ("previous", "until", "secrets"),
    [
        ("", None, [SECRET]),
        (OLD, None, [SECRET, OLD]),
        (OLD, NOON + SECOND, [SECRET, OLD]),
        (OLD, NOON, [SECRET]),
        ("", NOON + SECOND, [SECRET]),
    ],
)
def test_the_secret_before_counts_until_its_end(owner: Any, previous: str, until: Any, secrets: list[str]) -> None:
    owner.WEBHOOK_SECRET_PREVIOUS, owner.WEBHOOK_SECRET_PREVIOUS_UNTIL = previous, until

    assert own_secrets(NOON) == secrets


@pytest.mark.usefixtures("committed_db")
def test_while_rotating_both_secrets_verify_and_the_old_family_is_signed_with_the_new(
    serve: Callable[..., Server], owner: Any
) -> None:
    owner.WEBHOOK_SECRET_PREVIOUS, owner.WEBHOOK_SECRET_PREVIOUS_UNTIL = OLD, timezone.now() + timedelta(hours=1)
    server = serve()
    row = delivery(server.url)
    attempt(row)

    headers, body = headers_of(server.requests[0]), row.body.encode()
    now = timezone.now().timestamp()
    for secret in (SECRET, OLD):
        assert verify(headers=headers, body=body, secrets=[secret], now=now) == row.event_id
    family = {name: value for name, value in headers.items() if name.startswith("x-runner-")}
    verify(headers=family, body=body, secrets=[SECRET], now=now)
    with pytest.raises(SignatureRefused):
        verify(headers=family, body=body, secrets=[OLD], now=now)


@pytest.mark.parametrize(
    ("url", "prefix", "below"),
    [
        ("https://a.example/hooks/1", "https://a.example/hooks/", True),
        ("https://A.example:443/hooks/1", "https://a.example/hooks/", True),
        ("https://a.example/hooks", "https://a.example/hooks", True),
        ("https://a.example/hooks?x=1", "https://a.example/hooks", True),
        ("https://a.example/hooks/1", "https://a.example/hooks", True),
        ("https://a.example/hooksy", "https://a.example/hooks", False),
        ("https://a.example/", "https://a.example/hooks/", False),
        ("http://a.example/hooks/1", "https://a.example/hooks/", False),
        ("https://a.example.evil.example/", "https://a.example/", False),
        ("https://a.example:8443/", "https://a.example/", False),
        ("nonsense", "https://a.example/", False),
    ],
)
def test_a_prefix_ends_where_a_word_ends(url: str, prefix: str, below: bool) -> None:
    assert is_below(url, prefix) is below


@pytest.mark.django_db
def test_the_longest_prefix_decides() -> None:
    save_endpoint("https://a.example", OWN, now=NOON)
    save_endpoint("https://a.example/deep/", "the-deepest-secret", now=NOON)

    assert secrets_for("https://a.example/x", NOON) == [OWN]
    assert secrets_for("https://a.example/deep/x", NOON) == ["the-deepest-secret"]
    assert secrets_for("https://b.example/x", NOON) == [SECRET]


@pytest.mark.django_db
def test_an_endpoint_rotates_too() -> None:
    save_endpoint("https://a.example/", OWN, now=NOON)

    new = rotate_endpoint("https://a.example/", until=NOON + SECOND)

    assert secrets_for("https://a.example/x", NOON) == [new, OWN]
    assert secrets_for("https://a.example/x", NOON + SECOND) == [new]
    assert remove_endpoint("https://a.example/")
    assert not remove_endpoint("https://a.example/")
    with pytest.raises(EndpointRefused, match="There is no endpoint"):
        rotate_endpoint("https://a.example/", until=NOON)


@pytest.mark.django_db
def test_a_secret_that_is_set_anew_ends_the_old_one_at_once() -> None:
    save_endpoint("https://a.example/", OWN, now=NOON)
    rotate_endpoint("https://a.example/", until=NOON + SECOND)

    save_endpoint("https://a.example", "a-secret-that-is-new", now=NOON)

    assert secrets_for("https://a.example/x", NOON) == ["a-secret-that-is-new"]
    assert Endpoint.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("prefix", "secret"),
    [
        ("ftp://a.example/", OWN),
        ("https://a.example/?x", OWN),
        ("https://a.example/" + "x" * 500, OWN),
        ("https://a.example/", ""),
        ("https://a.example/", "short"),
        ("https://a.example/", "whsec_*** is no base64"),
        ("https://a.example/", "x" * 256),
        ("https://a.example/", "a-secret-with-\x00-in-it"),
    ],
)
def test_what_cannot_work_is_refused(prefix: str, secret: str) -> None:
    with pytest.raises(EndpointRefused):
        save_endpoint(prefix, secret, now=NOON)

    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("previous", "until", "ids"),
    [
        ("", None, []),
        (OLD, NOON, []),
        (OLD, None, ["webhooks.W001"]),
        ("whsec_***", NOON, ["webhooks.E003"]),
    ],
)
def test_the_start_looks_at_the_secret_before(owner: Any, previous: str, until: Any, ids: list[str]) -> None:
    owner.WEBHOOK_SECRET_PREVIOUS, owner.WEBHOOK_SECRET_PREVIOUS_UNTIL = previous, until

    assert [message.id for message in check_secret()] == ids
