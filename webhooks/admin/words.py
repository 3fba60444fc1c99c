"""How deliveries are put to people."""

import json
from textwrap import shorten

from pirunner.admin_pages import json_text
from pirunner.wording import span
from webhooks.models import Delivery

LONGEST = 90


def trouble_of(delivery: Delivery, longest: int = LONGEST) -> str:
    """Return in words why the last attempt failed, "" if it did not."""
    if delivery.state == Delivery.State.DELIVERED:
        return ""
    words = delivery.last_error
    if not words and delivery.last_status:
        words = f"The receiver answered {delivery.last_status}."
    return shorten(words, longest, placeholder=" …")


def took(ms: int) -> str:
    """Return how long an attempt took."""
    return f"{ms} ms" if ms < 1000 else span(ms / 1000)


def readable(text: str) -> str:
    """Return JSON with its line breaks; what is no JSON as it is."""
    try:
        return json_text(json.loads(text))
    except ValueError:
        return text
