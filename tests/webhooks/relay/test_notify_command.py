"""``manage.py notify``: whether the services are set up right."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.webhooks.loopback import Server
from tests.webhooks.relay.conftest import answer, body_of


def test_every_service_gets_the_message(telegram: Callable[..., Server]) -> None:
    server, printed = telegram(answer(200, ok=True)), StringIO()

    call_command("notify", "Hello", stdout=printed)

    assert printed.getvalue() == "telegram: sent\n"
    assert body_of(server.requests[0])["text"] == "Hello"


def test_who_did_not_take_it_is_named(
    telegram: Callable[..., Server], owner: Any, serve: Callable[..., Server]
) -> None:
    telegram(answer(401, ok=False, description="Unauthorized"))
    owner.NOTIFY_URLS = (f"json://127.0.0.1:{serve(answer(200)).port}/",)
    printed = StringIO()

    with pytest.raises(CommandError, match="Not every service"):
        call_command("notify", stdout=printed)

    first, second = printed.getvalue().splitlines()
    assert first == "telegram: Telegram answered 401: Unauthorized."
    assert second.startswith("json:")
    assert second.endswith(": sent")


def test_with_nobody_to_tell_it_says_what_to_set() -> None:
    with pytest.raises(CommandError, match="TELEGRAM_BOT_TOKEN"):
        call_command("notify")
