"""``manage.py deliveries`` and ``manage.py endpoints``."""

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.webhooks.loopback import Server, with_body
from tests.webhooks.making import NOON, answering, attempt, delivery, loopback
from webhooks.models import Delivery, Endpoint
from webhooks.signing_secrets import secrets_for

__all__ = ["loopback"]

pytestmark = pytest.mark.usefixtures("committed_db")

URL = "https://agent.example/hook"
Serve = Callable[..., Server]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


# -- deliveries ---------------------------------------------------------------------------------------------------


def test_deliveries_are_listed_as_a_table() -> None:
    row = delivery(URL, state="dead", last_status=500, next_attempt_at=None)
    delivery(URL)

    head, *lines = run("deliveries", "list", "--state", "dead", "--host", "agent.example", "--job", "41").splitlines()

    assert head.split() == ["id", "event", "jobId", "host", "state", "attempts", "lastStatus", "nextAttemptAt"]
    assert [line.split() for line in lines] == [
        [str(row.pk), "job.completed", "41", "agent.example", "dead", "0", "500", "-"]
    ]


def test_without_an_action_they_are_listed() -> None:
    delivery(URL)

    assert run("deliveries") == run("deliveries", "list")


def test_deliveries_are_listed_as_json() -> None:
    row = delivery(URL)

    assert [each["id"] for each in json.loads(run("deliveries", "list", "--json"))["deliveries"]] == [str(row.pk)]


def test_one_is_shown_and_a_terminal_is_not_fooled(serve: Serve) -> None:
    row = delivery(serve(answering(500)).url, body='{"a":"\x1b[2J"}')
    attempt(row)

    shown = run("deliveries", "show", str(row.pk))

    assert "bad_status" in shown
    assert '{"a":" [2J"}' in shown
    assert "\x1b" not in shown
    assert json.loads(run("deliveries", "show", str(row.pk), "--json"))["attemptLog"][0]["status"] == 500


def test_some_are_replayed_by_their_ids() -> None:
    rows = [delivery(URL, state="dead") for _ in range(3)]

    assert run("deliveries", "replay", str(rows[0].pk), str(rows[1].pk)) == "2 replayed.\n"

    assert set(Delivery.objects.pending()) == set(rows[:2])


def test_a_range_is_counted_and_replayed() -> None:
    row = delivery(URL, state="dead", created_at=NOON)
    delivery("https://other.example/", state="dead", created_at=NOON)
    chosen = ("--state", "dead", "--host", "agent.example", "--since", "2026-03-01")

    assert run("deliveries", "replay", *chosen, "--dry-run") == "1 would be replayed.\n"
    assert not Delivery.objects.pending().exists()
    assert json.loads(run("deliveries", "replay", *chosen, "--json")) == {"replayed": 1, "found": 1}

    assert set(Delivery.objects.pending()) == {row}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["show", "999"], "There is no delivery"),
        (["replay"], "Name deliveries"),
        (["replay", "1", "--state", "dead"], "Name deliveries"),
        (["replay", "--host", "agent.example"], "state"),
        (["replay", "--state", "dead", "--since", "yesterday"], "A moment is written"),
        (["list", "--host", "a/b"], "host takes"),
        (["list", "--job", "x"], "An id is"),
        (["test", "http://10.0.0.1/"], "not public"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run("deliveries", *arguments)


def test_a_receiver_is_tried(serve: Serve) -> None:
    assert "200, after" in run("deliveries", "test", serve(with_body(b"got it")).url)

    with pytest.raises(CommandError, match="did not take it") as refused:
        run("deliveries", "test", serve(answering(500)).url, "--json")
    assert refused.value.returncode == 1


# -- endpoints ----------------------------------------------------------------------------------------------------


def test_an_endpoint_gets_a_secret_that_is_shown_once() -> None:
    told = run("endpoints", "set", "https://agent.example")

    (secret,) = re.findall(r"whsec_\S+", told)
    assert secrets_for(URL, NOON) == [secret]
    assert run("endpoints", "list") == "https://agent.example/\n"


def test_an_endpoint_takes_a_secret_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a-secret-from-a-file\n")

    told = run("endpoints", "set", URL, "--secret-file", str(tmp_path / "secret"))

    assert "a-secret-from-a-file" not in told
    assert secrets_for(URL, NOON) == ["a-secret-from-a-file"]


def test_an_endpoint_is_rotated_and_removed() -> None:
    run("endpoints", "set", URL)
    told = run("endpoints", "rotate", URL, "--hours", "1")

    (secret,) = re.findall(r"whsec_\S+", told)
    assert secrets_for(URL, NOON)[0] == secret
    assert len(secrets_for(URL, NOON)) == 2
    assert re.search(r"the secret before counts until .* UTC", run("endpoints", "list"))

    run("endpoints", "remove", URL)
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["set", "ftp://a.example/"], "must begin with"),
        (["set", URL, "--secret-file", "nowhere"], "cannot be read"),
        (["rotate", URL], "There is no endpoint"),
        (["rotate", URL, "--hours", "0"], "--hours"),
        (["remove", URL], "There is no endpoint"),
    ],
)
def test_a_slip_is_one_sentence(arguments: list[Any], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run("endpoints", *arguments)
