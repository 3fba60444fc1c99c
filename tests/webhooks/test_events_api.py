"""``GET /events``: the feed of everything, by cursor."""

import random
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from tests.parts import Api
from webhooks.models import Event, EventHorizon
from webhooks.services import NewEvent, note_pruned, record_events

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
committed = pytest.mark.usefixtures("committed_db")


def new_event(job_id: int = 7, kind: str = "job.completed", text: str = '{"jobId":"7"}') -> NewEvent:
    return NewEvent(job_id=job_id, kind=kind, event_id="evt_1", at=AT, text=text)


def record(*events: NewEvent) -> list[int]:
    """Record events in a transaction, and return their numbers."""
    with transaction.atomic():
        record_events(events)
    return list(Event.objects.order_by("-seq").values_list("seq", flat=True)[: len(events)])[::-1]


def abort() -> None:
    """Use up a number in a transaction that does not commit, as a failed one would."""
    with transaction.atomic():
        record_events([new_event()])
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_an_event_carries_what_its_callback_would(api: Api):
    (seq,) = record(new_event(text='{"jobId":"7","data":{"π":3.5}}'))

    answer = api.get("/events").json()

    assert answer == {
        "events": [
            {
                "seq": seq,
                "event": "job.completed",
                "at": "2026-03-01T12:00:00.250Z",
                "jobId": "7",
                "payload": {"jobId": "7", "data": {"π": 3.5}},
            }
        ],
        "next": seq,
    }


@pytest.mark.django_db
def test_what_concerns_no_job_has_no_job_id(api: Api):
    record(new_event(job_id=0, kind="runner.recovered", text="{}"))

    assert api.get("/events").json()["events"][0]["jobId"] is None


@pytest.mark.django_db
def test_pages_follow_each_other_without_gap_or_repetition(api: Api):
    numbers = record(*(new_event(job_id=number) for number in range(1, 6)))
    seen: list[int] = []
    after = 0

    while page := api.get(f"/events?after={after}&limit=2").json()["events"]:
        seen += [event["seq"] for event in page]
        after = seen[-1]

    assert seen == numbers
    assert api.get(f"/events?after={after}").json() == {"events": [], "next": after}


@pytest.mark.django_db
def test_a_page_holds_500_at_most(api: Api):
    record(*(new_event() for _ in range(510)))

    assert len(api.get("/events").json()["events"]) == 100
    assert len(api.get("/events?limit=9999").json()["events"]) == 500


@pytest.mark.django_db
def test_gaps_do_not_expire_a_cursor(api: Api):
    abort()
    (seq,) = record(new_event())

    answer = api.get("/events?after=0")

    assert answer.status_code == 200
    assert [event["seq"] for event in answer.json()["events"]] == [seq]


@pytest.mark.django_db
def test_a_cursor_older_than_what_is_kept_is_told_where_to_go_on(api: Api):
    numbers = record(*(new_event() for _ in range(4)))
    Event.objects.filter(seq__lte=numbers[1]).delete()
    note_pruned(numbers[1])

    expired = api.get(f"/events?after={numbers[0]}")

    assert expired.status_code == 410
    assert expired.json()["error"] == "cursor_expired"
    assert expired.json()["details"]["oldest"] == numbers[2]
    again = api.get(f"/events?after={expired.json()['details']['next']}").json()
    assert [event["seq"] for event in again["events"]] == numbers[2:]


@pytest.mark.django_db
def test_a_cursor_at_the_edge_of_what_is_kept_is_good(api: Api):
    numbers = record(*(new_event() for _ in range(2)))
    Event.objects.all().delete()
    note_pruned(numbers[1])

    answer = api.get(f"/events?after={numbers[1]}")

    assert answer.status_code == 200
    assert answer.json() == {"events": [], "next": numbers[1]}


@pytest.mark.django_db
def test_without_a_cursor_the_feed_begins_with_what_is_kept(api: Api):
    numbers = record(*(new_event() for _ in range(3)))
    Event.objects.filter(seq__lte=numbers[0]).delete()
    note_pruned(numbers[0])

    assert [event["seq"] for event in api.get("/events").json()["events"]] == numbers[1:]
    assert api.get("/events?after=0").status_code == 410


@pytest.mark.django_db
def test_without_a_cursor_an_empty_feed_gives_one_that_is_good(api: Api):
    (seq,) = record(new_event())
    Event.objects.all().delete()
    note_pruned(seq)

    after = api.get("/events").json()["next"]

    assert api.get(f"/events?after={after}").status_code == 200


@pytest.mark.django_db
def test_the_horizon_never_moves_back():
    note_pruned(5)
    note_pruned(3)
    note_pruned(8)

    assert [row.pruned_to for row in EventHorizon.objects.all()] == [8]


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "wait=soon"])
def test_nonsense_in_the_query_is_refused(api: Api, query: str):
    answer = api.get(f"/events?{query}")

    assert answer.status_code == 400
    assert answer.json()["details"][0]["path"] == [query.partition("=")[0]]


def test_the_feed_needs_a_token(api: Api):
    assert api.get("/events", Authorization="").status_code == 401


@committed
def test_waiting_ends_with_the_next_event_of_any_job(api: Api):
    (seq,) = record(new_event())

    def record_soon() -> None:
        time.sleep(0.3)
        record(new_event(job_id=99))
        connection.close()

    writer = threading.Thread(target=record_soon)
    writer.start()
    began = time.monotonic()

    answer = api.get(f"/events?after={seq}&wait=20").json()

    assert [event["jobId"] for event in answer["events"]] == ["99"]
    assert time.monotonic() - began < 5
    writer.join()


@committed
def test_waiting_in_vain_answers_with_nothing(api: Api):
    answer = api.get("/events?after=12&wait=1")

    assert answer.status_code == 200
    assert answer.json() == {"events": [], "next": 12}


@committed
def test_a_reader_misses_nothing_of_what_is_written_at_once(api: Api):
    """On PostgreSQL a sequence gives out numbers in one order, and transactions commit in another."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    writers, rounds = 8, 40
    threads = [threading.Thread(target=_write, args=(number, rounds)) for number in range(1, writers + 1)]
    seen: list[dict[str, Any]] = []
    after = 0
    for thread in threads:
        thread.start()

    while any(thread.is_alive() for thread in threads) or Event.objects.filter(seq__gt=after).exists():
        page = api.get(f"/events?after={after}&limit=500&wait=1").json()
        seen += page["events"]
        after = page["next"]

    numbers = [event["seq"] for event in seen]
    assert numbers == sorted(set(numbers))
    assert numbers == list(Event.objects.order_by("seq").values_list("seq", flat=True))
    assert len(numbers) >= writers * rounds / 2


def _write(job_id: int, rounds: int) -> None:
    """Write events in transactions that take their time before and after, some of which do not commit."""
    chance = random.Random(job_id)
    try:
        for _ in range(rounds):
            with transaction.atomic():
                time.sleep(chance.uniform(0, 0.004))
                record_events([new_event(job_id=job_id) for _ in range(chance.randint(1, 3))])
                time.sleep(chance.uniform(0, 0.004))
                transaction.set_rollback(chance.random() < 0.1)
    finally:
        connection.close()
