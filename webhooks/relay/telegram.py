"""Telegram: one call of the Bot API (https://core.telegram.org/bots/api#sendmessage).

Not through Apprise, which can send to Telegram too: its import takes 18 MB and more than a second on a small machine,
and it tells neither why a message was refused nor how long Telegram asks to wait. Almost every owner needs this only.
"""

import json
import re
from typing import Any

from django.conf import settings

from webhooks.egress import AllowedHosts, CheckedClient, EgressError, Policy, Response
from webhooks.hosts import host_of
from webhooks.relay.outcome import Sent

TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{1,100}")
CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{1,64}")
_MOST_DESCRIPTION = 200


def send(text: str) -> Sent:
    """Send a text of at most 4,096 UTF-16 units to the chat of the settings, as it is: nothing in it is markup."""
    base = settings.TELEGRAM_API_URL.rstrip("/")
    url = f"{base}/bot{settings.TELEGRAM_BOT_TOKEN}/sendMessage"
    fields = {"chat_id": settings.TELEGRAM_CHAT_ID, "text": text, "link_preview_options": {"is_disabled": True}}
    try:
        # The owner's own server may be in the owner's network.
        client = CheckedClient(Policy.for_callbacks(AllowedHosts.parse([host_of(base)])))
        answer = client.post(url, json.dumps(fields).encode(), {"Content-Type": "application/json"})
    except EgressError as error:
        return Sent(f"Telegram could not be reached: {_without_token(str(error))}")
    return _judged(answer)


def _judged(answer: Response) -> Sent:
    told = _parsed(answer.body)
    if answer.status == 200 and told.get("ok") is True:
        return Sent()
    description = _without_token(str(told.get("description", "")))[:_MOST_DESCRIPTION]
    wait = _object(told.get("parameters")).get("retry_after")
    # A bool is an int to Python.
    seconds = float(wait) if type(wait) is int and wait > 0 else None
    return Sent(f"Telegram answered {answer.status}{description and f': {description}'}.", seconds)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        return _object(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _without_token(text: str) -> str:
    return text.replace(settings.TELEGRAM_BOT_TOKEN, "<token>")
