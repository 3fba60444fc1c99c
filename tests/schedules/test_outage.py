"""After an outage one event tells what happened, and those whose jobs it hurt are called back if they asked for it."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs.endings import LOST, worker_lost
from jobs.lifecycle import end_many
from pirunner.doorbell import Ring
from schedules.outage import SETTLE_SECONDS, Outage, OutageWatch, report
from tests.jobs.making import delayed, start
from tests.schedules.making import NOON
from webhooks.models import Delivery, Event
from webhooks.services import DELIVER_TASK, NewEvent, record_events

pytestmark = pytest.mark.usefixtures("committed_db")

ASKED = "runner.recovered"
ANN, BEN, HOME = (f"https://{name}.example/hook" for name in ("ann", "ben", "home"))


def late(**fields: Any) -> int:
    return delayed(due_at=NOON, **fields).pk


def outage(*late_jobs: int) -> Outage:
    return Outage(since=NOON - timedelta(minutes=5), until=NOON, late=late_jobs)


def deliveries() -> list[tuple[str, str]]:
    return list(Delivery.objects.filter(event=ASKED).order_by("pk").values_list("url", "event"))


# -- who is told --------------------------------------------------------------------------------------------------


def test_nobody_is_called_who_did_not_ask(owner: Any) -> None:
    owner.CALLBACK_URL = HOME

    report(outage(late(callback_url=ANN), late(callback_url=ANN, callback_events="job.started")))

    assert deliveries() == []
    assert Event.objects.filter(kind=ASKED).count() == 1


def test_each_address_that_asked_is_called_once_with_the_same_event(rings: list[Ring]) -> None:
    first = late(callback_url=ANN, callback_events=ASKED)
    second = late(callback_url=BEN, callback_events=f"job.started {ASKED}")
    third = late(callback_url=ANN, callback_events=ASKED)
    del rings[:]

    report(outage(first, second, third))

    assert deliveries() == [(ANN, ASKED), (BEN, ASKED)]
    assert len(set(Delivery.objects.values_list("event_id", "body"))) == 1
    body = json.loads(Delivery.objects.all()[0].body)
    assert body["late"] == [str(first), str(second), str(third)]
    assert body["seconds"] == 300
    assert Event.objects.get(kind=ASKED).payload == Delivery.objects.all()[0].body
    assert [ring.task for ring in rings] == [DELIVER_TASK] * 2


@pytest.mark.parametrize(("usual", "called"), [(HOME, [(HOME, ASKED)]), ("", [])])
def test_without_an_address_it_is_the_owner_s(usual: str, called: list[tuple[str, str]], owner: Any) -> None:
    owner.CALLBACK_URL = usual

    report(outage(late(callback_events=ASKED), late(callback_url=usual, callback_events=ASKED)))

    assert deliveries() == called


def test_a_job_that_was_taken_back_counts_too() -> None:
    claims = [start(callback_url=ANN, callback_events=ASKED), start(callback_url=BEN)]
    until = timezone.now()
    reason = f"{LOST}: it stopped renewing its lease"
    end_many([worker_lost(claim, at=timezone.now(), reason=reason) for claim in claims])

    report(Outage(since=until - timedelta(minutes=5), until=until, late=()))

    payload = json.loads(Event.objects.get(kind=ASKED).payload)
    assert payload["takenBack"] == [str(claim.job_id) for claim in claims]
    assert deliveries() == [(ANN, ASKED)]


def test_an_event_may_be_delivered_to_several_addresses() -> None:
    usual: dict[str, Any] = {"job_id": 1, "kind": "x", "at": NOON, "text": "{}"}

    ids = record_events(
        [
            NewEvent(event_id="evt_1", **usual),
            NewEvent(event_id="evt_2", callback_url=ANN, **usual),
            NewEvent(event_id="evt_3", callback_url=ANN, more_urls=(BEN,), **usual),
            NewEvent(event_id="evt_4", more_urls=(BEN, HOME), **usual),
        ]
    )

    assert Event.objects.count() == 4
    assert sorted(Delivery.objects.filter(pk__in=ids).values_list("event_id", "url")) == [
        ("evt_2", ANN),
        ("evt_3", ANN),
        ("evt_3", BEN),
        ("evt_4", BEN),
        ("evt_4", HOME),
    ]


# -- what is an outage --------------------------------------------------------------------------------------------


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "run" / "clock.alive"


def last_seen(mark: Path, seconds_ago: float) -> None:
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    moment = timezone.now().timestamp() - seconds_ago
    os.utime(mark, (moment, moment))


@pytest.mark.parametrize(("seconds_ago", "reports"), [(60, 1), (3, 0)])
def test_a_clock_that_finds_the_mark_of_another_reports_after_a_lease(
    seconds_ago: float, reports: int, mark: Path
) -> None:
    last_seen(mark, seconds_ago)
    watch = OutageWatch(mark)
    watch.begin(now=timezone.now(), steady=100.0)

    watch.go(steady=100.0 + SETTLE_SECONDS - 1)
    assert not Event.objects.exists()
    for later in (0, 1, 2):
        watch.go(steady=100.0 + SETTLE_SECONDS + later)

    assert Event.objects.filter(kind=ASKED).count() == reports


def test_after_a_wanted_stop_there_is_nothing_to_report(mark: Path) -> None:
    before = OutageWatch(mark)
    before.begin(now=NOON, steady=0.0)
    before.go(steady=0.0)
    assert mark.exists()
    before.end()

    after = OutageWatch(mark)
    after.begin(now=timezone.now(), steady=0.0)
    after.go(steady=1000.0)

    assert not Event.objects.exists()
