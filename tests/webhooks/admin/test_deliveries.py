"""Deliveries and endpoints in the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from tests.webhooks.loopback import Server, with_body
from tests.webhooks.making import NOON, answering, attempt, delivery, loopback
from webhooks.models import Delivery, Endpoint
from webhooks.signing_secrets import secrets_for

__all__ = ["loopback"]

pytestmark = pytest.mark.usefixtures("committed_db")

LIST = "/admin/webhooks/delivery/"
URL = "https://agent.example/hook"
OWN = "a-secret-of-their-own"


@pytest.fixture
def staff() -> Any:
    user = User.objects.create_superuser("owner")
    client = Client()
    client.force_login(user)
    yield client
    LogEntry.objects.all().delete()
    user.delete()


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [0, 1, 2]),
        ("?state=dead", [1]),
        ("?state=pending", [0]),
        ("?state=delivered", [2]),
        ("?state=lost", [0, 1, 2]),
        ("?q=agent.example", [0, 1]),
        ("?q=8", [2]),
        ("?q=a/b", []),
    ],
)
def test_the_list_can_be_narrowed(staff: Client, query: str, numbers: list[int]) -> None:
    rows = [
        delivery(URL),
        delivery(URL, state="dead"),
        delivery("https://other.example/", state="delivered", job_id=8),
    ]

    shown = staff.get(LIST + query)

    assert shown.status_code == 200
    assert {row.pk for row in shown.context["cl"].result_list} == {rows[number].pk for number in numbers}


def test_a_page_shows_the_attempts_and_the_body_escaped(staff: Client, serve: Callable[..., Server]) -> None:
    row = delivery(serve(with_body(b"<b>thanks</b>")).url, body='{"a":"<i>"}')
    attempt(row)

    shown = staff.get(f"{LIST}{row.pk}/change/").content.decode()

    assert "{&quot;a&quot;:&quot;&lt;i&gt;&quot;}" in shown
    assert "&lt;b&gt;thanks&lt;/b&gt;" in shown
    assert "<b>thanks" not in shown


def test_a_replay_is_asked_about_once(staff: Client) -> None:
    rows = [delivery(URL, state="dead") for _ in range(3)]
    chosen = {"action": "replay", "_selected_action": [str(rows[0].pk), str(rows[1].pk)]}

    asked = staff.post(LIST, chosen)
    assert "Send 2 callbacks again?" in asked.content.decode()
    assert not Delivery.objects.pending().exists()

    staff.post(LIST, {**chosen, "confirmed": "1"})
    assert set(Delivery.objects.pending()) == set(rows[:2])


def test_all_that_are_found_can_be_replayed(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.admin.BATCH", 2)
    rows = [delivery(URL, state="dead") for _ in range(5)]
    chosen = {"action": "replay", "_selected_action": [str(rows[0].pk)], "select_across": "1"}

    asked = staff.post(LIST + "?state=dead", chosen)
    assert "Send 5 callbacks again?" in asked.content.decode()
    staff.post(LIST + "?state=dead", {**chosen, "confirmed": "1"})

    assert Delivery.objects.pending().count() == 5


def test_a_test_is_sent_to_the_receiver_of_one(staff: Client, serve: Callable[..., Server]) -> None:
    server = serve(answering(503))
    row = delivery(server.url, state="dead")

    shown = staff.post(LIST, {"action": "send_test", "_selected_action": [str(row.pk)]}, follow=True)

    assert b"X-Runner-Event: webhook.test" in server.requests[0]
    assert "503 after" in shown.content.decode()
    assert not Delivery.objects.pending().exists()


@pytest.mark.parametrize("address", ["add/", "{}/delete/"])
def test_nobody_makes_or_deletes_a_delivery(staff: Client, address: str) -> None:
    row = delivery(URL)

    assert staff.post(LIST + address.format(row.pk)).status_code == 403
    assert Delivery.objects.count() == 1


def test_a_secret_is_written_and_never_shown(staff: Client) -> None:
    staff.post("/admin/webhooks/endpoint/add/", {"prefix": "https://Agent.example", "new_secret": OWN})
    endpoint = Endpoint.objects.get()
    assert endpoint.prefix == "https://agent.example/"
    assert secrets_for(URL, NOON) == [OWN]

    address = f"/admin/webhooks/endpoint/{endpoint.pk}/change/"
    shown = [
        staff.get(page).content.decode() for page in (address, "/admin/webhooks/endpoint/", address + "../history/")
    ]
    assert not any(OWN in page for page in shown)
    assert not LogEntry.objects.filter(change_message__contains=OWN).exists()

    staff.post(address, {"prefix": endpoint.prefix, "new_secret": ""})
    assert secrets_for(URL, NOON) == [OWN]


@pytest.mark.parametrize("fields", [{"prefix": "ftp://a/", "new_secret": OWN}, {"prefix": URL, "new_secret": ""}])
def test_an_endpoint_that_cannot_work_is_not_kept(staff: Client, fields: dict[str, str]) -> None:
    assert staff.post("/admin/webhooks/endpoint/add/", fields).status_code == 200
    assert not Endpoint.objects.exists()
