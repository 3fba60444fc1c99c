"""Deliveries and endpoints in the admin."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from tests.webhooks.loopback import Server, with_body
from tests.webhooks.making import NOON, answering, attempt, delivery, loopback
from webhooks.models import Delivery, Endpoint, FailingHost
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

    assert "{&quot;a&quot;:&quot;&lt;i&gt;&quot;}" in shown  # exactly as it is sent
    assert "&quot;a&quot;: &quot;&lt;i&gt;&quot;" in shown  # and to be read
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
    monkeypatch.setattr("webhooks.admin.replays.BATCH", 2)
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


def test_pages_go_by_the_id(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.admin.deliveries.DeliveryAdmin.list_per_page", 2)
    rows = [delivery(URL, state="dead") for _ in range(3)]

    first = staff.get(LIST + "?state=dead").context["cl"]
    second = staff.get(LIST + first.older_query).context["cl"]

    assert [row.pk for row in [*first.result_list, *second.result_list]] == [row.pk for row in reversed(rows)]
    assert not second.older_query


def test_the_last_trouble_and_resting_hosts_are_told(staff: Client) -> None:
    delivery(URL, state="dead", last_error="The connection was refused.")
    now = timezone.now()
    FailingHost.objects.create(host="agent.example", failures=14, since=now, paused_until=now + timedelta(hours=1))
    FailingHost.objects.create(host="healthy.example", failures=1, since=now, paused_until=now - timedelta(hours=1))

    shown = staff.get(LIST).content.decode()

    assert "The connection was refused." in shown
    assert "has failed 14 times in a row" in shown
    assert "healthy.example" not in shown


def test_one_is_replayed_from_its_page_and_that_is_noted(staff: Client) -> None:
    row = delivery(URL, state="dead")

    staff.post(f"{LIST}{row.pk}/act/", {"act": "replay"})

    assert Delivery.objects.pending().get() == row
    entry = LogEntry.objects.get()
    assert (entry.change_message, entry.object_id) == ("replayed", str(row.pk))


@pytest.mark.parametrize(("host", "numbers"), [("", [0, 1, 2]), ("agent.example", [0, 2])])
def test_all_dead_letters_are_replayed_after_a_question(staff: Client, host: str, numbers: list[int]) -> None:
    rows = [delivery(url, state="dead") for url in (URL, "https://other.example/", URL)]
    delivery(URL, state="delivered")
    address = f"{LIST}replay-dead/?host={host}"

    asked = staff.get(address)
    assert f"Send {len(numbers)} callbacks again?" in asked.content.decode()
    assert not Delivery.objects.pending().exists()

    staff.post(address)
    assert set(Delivery.objects.pending()) == {rows[number] for number in numbers}
    assert LogEntry.objects.get().change_message == f"replayed {len(numbers)} deliveries, this one among them"


@pytest.mark.usefixtures("staff")
def test_who_may_look_replays_nothing() -> None:
    row = delivery(URL, state="dead")
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_delivery"))
    client = Client()
    client.force_login(viewer)

    for address in (LIST, LIST + "?state=dead", f"{LIST}{row.pk}/change/"):
        shown = client.get(address)
        assert shown.status_code == 200
        assert "Replay" not in shown.content.decode()
    client.post(LIST, {"action": "replay", "_selected_action": [row.pk], "confirmed": "1"})
    assert client.post(f"{LIST}{row.pk}/act/", {"act": "replay"}).status_code == 403
    assert client.post(f"{LIST}replay-dead/").status_code == 403
    assert not Delivery.objects.pending().exists()
    viewer.delete()


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
