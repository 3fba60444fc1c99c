"""Recording events, and checking where callbacks may go."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from pirunner.doorbell import Ring
from tests.parts import at_once
from tests.webhooks.loopback import resolver_of
from tests.webhooks.making import new_event
from webhooks.egress import AddressRefused, UrlRefused, check_url
from webhooks.models import Delivery, Event
from webhooks.services import check_target, record_events, ring_deliveries

HOOK = "https://1.1.1.1/hook"


# -- events -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_events_are_numbered_in_the_order_given() -> None:
    record_events([new_event(job_id=number, text=f'{{"n":{number}}}') for number in (3, 1, 2)])

    events = Event.objects.order_by("seq")
    assert [(event.job_id, event.payload) for event in events] == [(3, '{"n":3}'), (1, '{"n":1}'), (2, '{"n":2}')]


@pytest.mark.django_db
def test_an_event_with_a_callback_is_also_delivered() -> None:
    event = new_event(callback_url=HOOK)

    (delivery_id,) = record_events([new_event(), event])

    assert Event.objects.count() == 2
    delivery = Delivery.objects.get()
    assert delivery.pk == delivery_id
    assert (delivery.event_id, delivery.event, delivery.job_id) == (event.event_id, event.kind, 41)
    assert (delivery.url, delivery.host, delivery.body) == (HOOK, "1.1.1.1", event.text)
    assert (delivery.state, delivery.attempts) == ("pending", 0)
    assert delivery.next_attempt_at == delivery.created_at == event.at


@pytest.mark.django_db
def test_nothing_to_record_is_no_error() -> None:
    assert record_events([]) == []


@pytest.mark.django_db
def test_text_of_any_kind_is_kept() -> None:
    text = '{"a":"⏰\\u0000\\ud800","b":"' + "x" * 100_000 + '"}'

    record_events([new_event(text=text)])

    assert Event.objects.get().payload == text


@pytest.mark.usefixtures("committed_db")
def test_what_is_rolled_back_was_never_recorded() -> None:
    def write() -> None:
        with transaction.atomic():
            record_events([new_event(callback_url=HOOK)])
            raise KeyError

    with pytest.raises(KeyError):
        write()

    assert not Event.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.usefixtures("committed_db")
def test_numbers_become_visible_in_order() -> None:
    """A reader that has seen a number has seen all smaller ones, however long a writer takes to commit."""
    seen: list[int] = []
    gaps: list[set[int]] = []
    written = threading.Event()

    def write(number: int) -> None:
        for _ in range(5):
            with transaction.atomic():
                record_events([new_event(job_id=number)])
                threading.Event().wait(0.002)

    def read() -> None:
        while not written.is_set() or not seen or len(seen) < 15:
            new = list(Event.objects.order_by("seq").values_list("seq", flat=True))
            gaps.append({seq for seq in new if seen and seq < seen[-1]} - set(seen))
            seen[:] = new
            if len(new) == 15:
                return

    outcomes = at_once([read, *[lambda number=number: write(number) for number in range(3)]])
    written.set()

    assert outcomes == [None] * 4
    assert not any(gaps)
    assert len(seen) == 15


def test_a_delivery_is_rung_for(rings: list[Ring]) -> None:
    ring_deliveries([7, 8])

    assert rings == [Ring("webhooks.deliver", 7, "webhooks"), Ring("webhooks.deliver", 8, "webhooks")]


@pytest.mark.django_db
def test_of_many_to_one_host_as_many_are_rung_for_as_are_sent_at_a_time(rings: list[Ring]) -> None:
    ids = record_events([new_event(callback_url=url) for url in [HOOK, HOOK, HOOK, "https://2.2.2.2/", HOOK]])

    ring_deliveries(ids)

    assert [ring.row_id for ring in rings] == [ids[0], ids[1], ids[3]]


# -- targets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [HOOK, "http://1.1.1.1:8080/", "https://[2606:4700:4700::1111]/x?y=z"])
def test_a_public_address_is_allowed(url: str) -> None:
    assert check_target(url) is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://10.0.0.1/", "http://169.254.169.254/", "http://[fe80::1]/"]
)
def test_a_private_address_is_not(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_target(url)


@pytest.mark.parametrize("url", ["ftp://1.1.1.1/", "", "nonsense", "http://a b/", "http://u:p@1.1.1.1/"])
def test_what_is_no_http_url_is_not(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_target(url)


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.1:8123", "127.0.0.0/8"])
def test_the_owners_list_opens_private_hosts(owner: Any, entry: str) -> None:
    owner.CALLBACK_ALLOWED_HOSTS = (entry,)

    assert check_target("http://127.0.0.1:8123/hook") is None


def test_the_host_of_callback_url_is_open_at_its_port_only(owner: Any) -> None:
    owner.CALLBACK_URL = "http://127.0.0.1:9999/callback"

    assert check_target("http://127.0.0.1:9999/other") is None
    with pytest.raises(AddressRefused):
        check_target("http://127.0.0.1:6379/")


def test_the_relay_beside_us_can_be_the_callback_url_though_its_name_is_private(
    owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.CALLBACK_URL = "http://callback-relay:9999/callback"
    monkeypatch.setattr(check_url, "__kwdefaults__", {"resolver": resolver_of("172.18.0.3"), "timeout": None})

    assert check_target("http://callback-relay:9999/callback") is None
    with pytest.raises(AddressRefused):
        check_target("http://callback-relay:6379/")


def test_the_link_local_metadata_address_stays_closed(owner: Any) -> None:
    owner.CALLBACK_ALLOWED_HOSTS = ("169.254.169.254", "0.0.0.0/0")

    with pytest.raises(AddressRefused):
        check_target("http://169.254.169.254/latest")


@pytest.mark.django_db
def test_postgresql_numbers_events_under_a_lock() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    record_events([new_event()])

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (1,)
