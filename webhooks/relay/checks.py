"""System checks of the relay: faults of its configuration, found at start-up."""

from typing import Any

from django.conf import settings
from django.core.checks import Error

from pirunner.checks import WELL_KNOWN
from webhooks.hosts import EgressError, host_of
from webhooks.relay.telegram import CHAT, TOKEN


def check_relay_secret(**_: Any) -> list[Error]:
    """Report a secret that anybody may know (E010): whoever has it writes to the owner's phone, in development too."""
    if not settings.RELAY or (settings.WEBHOOK_SECRET and settings.WEBHOOK_SECRET.lower() not in WELL_KNOWN):
        return []
    hint = "Delete its line from .env, and the next start makes a strong one; or set RELAY=off."
    return [Error("The relay refuses a WEBHOOK_SECRET that is empty or well known.", hint=hint, id="webhooks.E010")]


def check_telegram(**_: Any) -> list[Error]:
    """Report settings of Telegram that cannot work (E011); no value is quoted, for one of them is a secret."""
    token, chat = settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_CHAT_ID
    if bool(token) != bool(chat):
        missing = "TELEGRAM_CHAT_ID" if token else "TELEGRAM_BOT_TOKEN"
        return [_fault(f"{missing} is empty.", "Telegram needs TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID.")]
    if token and not TOKEN.fullmatch(token):
        return [
            _fault("TELEGRAM_BOT_TOKEN is no token of a bot.", "It looks like 123456789:AbC-dEf, and BotFather has it.")
        ]
    if chat and not CHAT.fullmatch(chat):
        return [_fault("TELEGRAM_CHAT_ID is no chat.", "It is a number such as 123456789 or -1001234, or @channel.")]
    try:
        host_of(settings.TELEGRAM_API_URL)
    except (EgressError, ValueError) as error:
        return [_fault(f"TELEGRAM_API_URL cannot be used: {error}", "Write it like https://telegram.example.")]
    return []


def _fault(sentence: str, hint: str) -> Error:
    return Error(sentence, hint=hint, id="webhooks.E011")
