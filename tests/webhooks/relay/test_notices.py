"""Messages as rows: once per event and service, tried again, dead in the end, without a secret anywhere."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pirunner.doorbell import Ring
from tests.webhooks.loopback import Server
from tests.webhooks.relay.conftest import TOKEN, answer, callback
from webhooks.models import Notice
from webhooks.receiver import VerifiedCallback
from webhooks.relay import notices
from webhooks.relay.notices import ATTEMPTS, NOTIFY_TASK, answer_ring, attempt_notice, key_of, take
from webhooks.relay.outcome import Sent
from webhooks.relay.targets import targets

pytestmark = pytest.mark.usefixtures("committed_db")

Serve = Callable[..., Server]


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.relay.notices.random.uniform", lambda _a, _b: 0.0)


@pytest.fixture
def two_services(owner: Any, serve: Serve) -> tuple[Server, Server]:
    """Two services, of which the second is ill."""
    good, bad = serve(answer(200)), serve(answer(503))
    owner.NOTIFY_URLS = (f"json://127.0.0.1:{good.port}/", f"json://ana:s3cret@127.0.0.1:{bad.port}/")
    return good, bad


def rows() -> list[Notice]:
    return list(Notice.objects.order_by("pk"))


def make_due(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(next_attempt_at=timezone.now())


# -- taking -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("two_services")
def test_a_callback_becomes_one_message_for_each_service(rings: list[Ring]) -> None:
    assert take(callback()) == 2

    assert [(row.event_id, row.text, row.state) for row in rows()] == [("evt_1", "✅ ping done\npong", "pending")] * 2
    assert [row.target for row in rows()] == [target.name for target in targets()]
    assert [(ring.task, ring.row_id, ring.queue) for ring in rings] == [
        (NOTIFY_TASK, row.pk, "webhooks") for row in rows()
    ]


@pytest.mark.usefixtures("two_services")
def test_a_repeated_callback_adds_nothing(rings: list[Ring]) -> None:
    take(callback())
    rings.clear()

    assert take(callback()) == 0

    assert len(rows()) == 2
    assert rings == []


@pytest.mark.usefixtures("two_services")
def test_a_service_that_comes_later_hears_only_of_what_is_new(owner: Any) -> None:
    take(callback())
    owner.NOTIFY_URLS = (*owner.NOTIFY_URLS, "json://127.0.0.1:9")

    assert take(callback()) == 0
    assert take(callback("evt_2")) == 3


def test_with_nobody_to_tell_the_message_is_logged_and_kept_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "webhooks.relay.notices")

    take(callback())
    take(callback())

    (row,) = rows()
    assert (row.target, row.state, row.next_attempt_at) == ("log", "sent", None)
    assert caplog.messages == ["Callback evt_1: ✅ ping done / pong"]


BODY = b'{"jobId": "1"}'


@pytest.mark.parametrize(
    ("event_id", "key"),
    [
        ("evt_1", "evt_1"),
        ("", "sha256:"),
        ("x" * 256, "sha256:"),
        ("with a space", "sha256:"),
        ("nul\x00", "sha256:"),
    ],
)
def test_callbacks_are_told_apart_by_their_id_or_else_by_their_body(event_id: str, key: str) -> None:
    first = key_of(VerifiedCallback("job.completed", event_id, {}, BODY))

    assert first.startswith(key)
    assert len(first) <= 255
    other = key_of(VerifiedCallback("job.completed", event_id, {}, BODY + b" "))
    assert (other == first) == (key == "evt_1")


# -- sending ------------------------------------------------------------------------------------------------------


def test_one_service_that_fails_is_tried_again_alone(two_services: tuple[Server, Server]) -> None:
    good, bad = two_services
    take(callback())

    assert [attempt_notice(row.pk) for row in rows()] == ["sent", "pending"]
    sent, pending = rows()
    assert sent.sent_at
    assert (pending.attempts, pending.last_error) == (1, "The service answered 503.")
    assert pending.next_attempt_at
    assert timedelta(seconds=4) < pending.next_attempt_at - timezone.now() <= timedelta(seconds=5)

    make_due(pending)
    assert [attempt_notice(row.pk) for row in rows()] == ["skipped", "pending"]
    assert (len(good.requests), len(bad.requests)) == (1, 2)


@pytest.mark.usefixtures("two_services")
def test_what_is_not_due_or_over_is_skipped() -> None:
    take(callback())
    for row in rows():
        attempt_notice(row.pk)

    assert [attempt_notice(row.pk) for row in rows()] == ["skipped", "skipped"]
    assert attempt_notice(0) == "skipped"


@pytest.mark.usefixtures("two_services")
def test_after_its_last_attempt_a_message_is_dead(caplog: pytest.LogCaptureFixture) -> None:
    take(callback())
    ill = rows()[1]
    Notice.objects.filter(pk=ill.pk).update(attempts=ATTEMPTS - 1)

    assert attempt_notice(ill.pk) == "dead"

    ill.refresh_from_db()
    assert (ill.attempts, ill.next_attempt_at, ill.last_error) == (ATTEMPTS, None, "The service answered 503.")
    assert "is dead after 8 attempts" in caplog.text
    assert "s3cret" not in caplog.text


def test_telegrams_wish_to_wait_is_honoured(telegram: Callable[..., Server]) -> None:
    telegram(answer(429, ok=False, parameters={"retry_after": 120}))
    take(callback())

    attempt_notice(rows()[0].pk)

    due = rows()[0].next_attempt_at
    assert due
    assert timedelta(seconds=115) < due - timezone.now() <= timedelta(seconds=120)


def test_a_message_to_telegram_is_sent_once(telegram: Callable[..., Server]) -> None:
    server = telegram(answer(200, ok=True))
    take(callback())
    (row,) = rows()

    assert (row.target, attempt_notice(row.pk), attempt_notice(row.pk)) == ("telegram", "sent", "skipped")
    assert len(server.requests) == 1


@pytest.mark.usefixtures("two_services")
def test_a_service_that_was_removed_ends_its_messages(owner: Any) -> None:
    take(callback())
    owner.NOTIFY_URLS = owner.NOTIFY_URLS[:1]

    assert attempt_notice(rows()[1].pk) == "dead"
    assert rows()[1].last_error == "This service is no longer configured."


def test_whatever_breaks_counts_as_an_attempt(
    telegram: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    telegram(b"")
    take(callback())

    def explode(_text: str) -> None:
        raise RuntimeError(TOKEN)

    monkeypatch.setattr("webhooks.relay.telegram.send", explode)

    assert attempt_notice(rows()[0].pk) == "pending"
    assert rows()[0].last_error == "It could not be sent: RuntimeError."
    assert TOKEN not in caplog.text


def test_a_sender_that_lost_its_lease_changes_nothing(telegram: Callable[..., Server]) -> None:
    telegram(answer(500))
    take(callback())
    (row,) = rows()
    claimed = notices._claim(row.pk)
    make_due(row)
    telegram(answer(200, ok=True))
    assert attempt_notice(row.pk) == "sent"

    assert claimed
    notices._record(claimed, Sent("too late"))

    assert (rows()[0].state, rows()[0].last_error) == ("sent", "")


@pytest.mark.usefixtures("two_services")
def test_no_row_holds_anything_of_a_url() -> None:
    take(callback())
    for row in rows():
        attempt_notice(row.pk)

    texts = [f"{row.target} {row.last_error} {row.event_id}" for row in rows()]

    assert not [text for text in texts if "s3cret" in text or "127.0.0.1" in text or "ana" in text]
    assert all(row.target.startswith("json:") and len(row.target) == 17 for row in rows())


# -- a few at a time ----------------------------------------------------------------------------------------------


def test_a_ring_sends_what_else_is_due(telegram: Callable[..., Server]) -> None:
    server = telegram(answer(200, ok=True))
    for number in range(5):
        take(callback(f"evt_{number}"))

    assert answer_ring(rows()[2].pk) == 5

    assert {row.state for row in rows()} == {"sent"}
    assert len(server.requests) == 5


def test_a_service_that_fails_is_left_until_its_time_comes(telegram: Callable[..., Server]) -> None:
    server = telegram(answer(500))
    for number in range(3):
        take(callback(f"evt_{number}"))

    assert answer_ring(rows()[0].pk) == 3

    assert len(server.requests) == 3


def test_services_that_hang_take_up_few_threads(
    monkeypatch: pytest.MonkeyPatch, telegram: Callable[..., Server]
) -> None:
    telegram(answer(200, ok=True))
    take(callback())
    monkeypatch.setattr(notices, "_senders", threading.BoundedSemaphore(1))
    with notices._senders:
        assert answer_ring(rows()[0].pk) == 0

    assert answer_ring(rows()[0].pk) == 1


# -- recipients ---------------------------------------------------------------------------------------------------


def reminder_for(recipient: Any, **fields: Any) -> VerifiedCallback:
    """Return the callback of a reminder."""
    return callback(**{"jobType": "reminder", "data": {"reminder": {"recipient": recipient}}, **fields})


def test_a_reminder_goes_to_its_recipient_and_nobody_else(owner: Any, serve: Serve) -> None:
    of_all, of_ana = serve(answer(200)), serve(answer(200))
    owner.NOTIFY_URLS = (f"json://127.0.0.1:{of_all.port}/",)
    owner.NOTIFY_RECIPIENTS = {"ana": (f"json://127.0.0.1:{of_ana.port}/",)}

    assert take(reminder_for(" Ana ")) == 1
    (row,) = rows()
    answer_ring(row.pk)

    assert (len(of_ana.requests), len(of_all.requests)) == (1, 0)
    assert rows()[0].state == "sent"


@pytest.mark.usefixtures("two_services")
@pytest.mark.parametrize(
    "told",
    [
        reminder_for("bob"),
        reminder_for("ana", jobType="ping"),
        reminder_for(["ana"]),
        reminder_for("ana", data="ana"),
        reminder_for("ana", data={"reminder": 5}),
    ],
)
def test_everything_else_goes_the_usual_way(owner: Any, told: VerifiedCallback) -> None:
    owner.NOTIFY_RECIPIENTS = {"ana": ("json://127.0.0.1:1/",)}

    assert take(told) == 2
    assert {row.target for row in rows()} == {target.name for target in targets()}
