"""Faults of the relay's configuration."""

from typing import Any

import pytest

from tests.webhooks.relay.conftest import TOKEN
from webhooks.relay.checks import check_relay_secret, check_telegram


@pytest.mark.parametrize("secret", ["", "change-me", "CHANGE-ME", "changeme"])
@pytest.mark.parametrize("development", [True, False])
def test_a_secret_that_anybody_may_know_is_refused_in_development_too(
    owner: Any, secret: str, development: bool
) -> None:
    owner.WEBHOOK_SECRET, owner.RELAY, owner.DEVELOPMENT = secret, True, development

    assert [fault.id for fault in check_relay_secret()] == ["webhooks.E010"]


def test_without_the_relay_its_secret_does_not_matter(owner: Any) -> None:
    owner.WEBHOOK_SECRET, owner.RELAY = "change-me", False

    assert check_relay_secret() == []


@pytest.mark.parametrize(
    ("token", "chat", "fault"),
    [
        ("", "", ""),
        (TOKEN, "123", ""),
        (TOKEN, "-100123", ""),
        (TOKEN, "@plants", ""),
        (TOKEN, "", "TELEGRAM_CHAT_ID is empty."),
        ("", "123", "TELEGRAM_BOT_TOKEN is empty."),
        ("s3cret", "123", "TELEGRAM_BOT_TOKEN is no token of a bot."),
        (f"{TOKEN}/../x", "123", "TELEGRAM_BOT_TOKEN is no token of a bot."),
        (TOKEN, "Ana", "TELEGRAM_CHAT_ID is no chat."),
    ],
)
def test_telegram_is_configured_whole_or_not_at_all(owner: Any, token: str, chat: str, fault: str) -> None:
    owner.TELEGRAM_BOT_TOKEN, owner.TELEGRAM_CHAT_ID = token, chat

    assert [found.msg for found in check_telegram()] == ([fault] if fault else [])


def test_an_address_that_is_none_is_told(owner: Any) -> None:
    owner.TELEGRAM_BOT_TOKEN, owner.TELEGRAM_CHAT_ID, owner.TELEGRAM_API_URL = TOKEN, "1", "http://"

    assert [fault.msg.partition(":")[0] for fault in check_telegram()] == ["TELEGRAM_API_URL cannot be used"]
