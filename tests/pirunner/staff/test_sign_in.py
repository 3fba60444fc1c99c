"""The login form: what is locked, for how long, and what the audit keeps of it."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from pirunner.staff import throttle
from pirunner.staff.models import SignIn
from pirunner.staff.people import reset_password
from pirunner.staff.throttle import SignInLocked, begin_sign_in, locked_until
from tests.parts import at_once

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LOGIN = "/admin/login/"


def ago(*minutes: float) -> list[datetime]:
    return [NOON - number * MINUTE for number in minutes]


@pytest.mark.parametrize(
    ("failures", "until"),
    [
        ([], None),
        (ago(0, 1, 2, 3), None),
        (ago(0, 1, 2, 3, 4), NOON + 15 * MINUTE),
        (ago(5, 6, 7, 8, 20), NOON + 10 * MINUTE),
        (ago(0, 1, 2, 3, 15), NOON + 15 * MINUTE),
        (ago(0, 1, 2, 3, 15.1), None),
        (ago(15, 16, 17, 18, 19), None),
        (ago(14.9, 16, 17, 18, 19), NOON + 0.1 * MINUTE),
    ],
)
def test_five_failures_within_a_quarter_lock_for_a_quarter(failures: list[datetime], until: datetime | None) -> None:
    assert locked_until(failures, NOON) == until


@pytest.fixture
def ana(committed_db: None) -> User:  # noqa: ARG001
    return User.objects.create_superuser("ana", password="right")


def log_in(password: str, name: str = "ana", **more: Any) -> Any:
    return Client(**more).post(LOGIN, {"username": name, "password": password})


def outcomes() -> list[str]:
    return list(SignIn.objects.order_by("pk").values_list("outcome", flat=True))


@pytest.mark.usefixtures("ana")
def test_the_fifth_failure_locks_the_right_password_too() -> None:
    for _ in range(4):
        assert "correct username and password" in log_in("wrong").content.decode()
    fifth = log_in("wrong").content.decode()

    assert "Too many logins with this name failed from your address" in fifth
    assert log_in("right").status_code == 200
    assert "Too many logins" in log_in("right").content.decode()
    assert outcomes() == ["failed"] * 4 + ["failed, and locked"]


@pytest.mark.usefixtures("ana")
def test_another_name_and_another_address_are_not_locked() -> None:
    User.objects.create_superuser("ben", password="his")
    for _ in range(5):
        log_in("wrong")

    assert log_in("his", "ben").status_code == 302
    assert log_in("right", REMOTE_ADDR="192.0.2.9").status_code == 302


@pytest.mark.usefixtures("ana")
def test_all_addresses_of_an_ipv6_network_are_one() -> None:
    for number in range(5):
        log_in("wrong", REMOTE_ADDR=f"2001:db8::{number}")

    assert "Too many logins" in log_in("right", REMOTE_ADDR="2001:db8::9").content.decode()
    assert log_in("right", REMOTE_ADDR="2001:db8:0:1::9").status_code == 302


@pytest.mark.usefixtures("ana")
def test_a_made_up_header_opens_nothing_but_a_trusted_proxy_tells_addresses_apart(settings: Any) -> None:
    for _ in range(5):
        log_in("wrong")
    assert log_in("right", HTTP_X_FORWARDED_FOR="192.0.2.9").status_code == 200

    settings.TRUSTED_PROXIES = (ip_network("127.0.0.0/8"),)

    assert log_in("right", HTTP_X_FORWARDED_FOR="192.0.2.9").status_code == 302


@pytest.mark.usefixtures("ana")
def test_a_success_begins_the_count_anew() -> None:
    for _ in range(2):
        for _ in range(4):
            log_in("wrong")
        assert log_in("right").status_code == 302

    assert outcomes() == [*["failed"] * 4, "signed in"] * 2


@pytest.mark.usefixtures("ana")
def test_a_new_password_unlocks() -> None:
    for _ in range(5):
        log_in("wrong")

    _, password = reset_password("ana")

    assert log_in(password).status_code == 302


@pytest.mark.usefixtures("ana")
def test_many_tries_at_once_count_as_many() -> None:
    tried = at_once([lambda: begin_sign_in("ana", "192.0.2.1", now=NOON) for _ in range(8)])

    assert sum(isinstance(each, SignInLocked) for each in tried) == 3
    assert SignIn.objects.count() == 5


@pytest.mark.usefixtures("ana")
def test_what_may_be_a_password_in_the_wrong_field_is_not_kept() -> None:
    log_in("wrong", "my-secret-password")

    assert "my-secret-password" not in str(SignIn.objects.values().get())


@pytest.mark.usefixtures("ana")
def test_old_rows_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "KEPT", 10)
    monkeypatch.setattr(throttle, "_PRUNED_EVERY", 1)

    for number in range(30):
        begin_sign_in("ana", f"192.0.2.{number}")

    assert SignIn.objects.count() == 10


@pytest.mark.usefixtures("ana")
def test_logins_are_in_the_audit() -> None:
    log_in("wrong")
    client = Client()
    client.post(LOGIN, {"username": "ana", "password": "right"})

    page = client.get("/admin/staff/signin/").content.decode()

    assert page.count("127.0.0.1") == 2
    assert "signed in" in page
    assert "failed" in page
