"""Send a test: a signed event that is no job's, to see what a receiver says. Nothing of it is stored."""

import secrets
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from pirunner.times import iso
from webhooks.answers import Answer
from webhooks.ecmascript_json import dumps
from webhooks.egress import check_url
from webhooks.sending import send
from webhooks.services import callback_policy
from webhooks.signing_secrets import secrets_for

TEST = "webhook.test"


@dataclass(frozen=True, slots=True)
class Trial:
    """What was sent to see whether a receiver takes it, and its answer."""

    event_id: str
    body: str
    answer: Answer


def send_test(url: str) -> Trial:
    """Send a test to a URL, once, and return the answer; it takes 15 seconds at most.

    Raises ``webhooks.egress.EgressError`` for a URL that callbacks may not go to, or whose name does not resolve.
    """
    check_url(url, callback_policy(), timeout=5.0)
    event_id = f"evt_{secrets.token_hex(12)}"
    body = dumps({"event": TEST, "eventId": event_id, "sentAt": iso(timezone.now())})
    keys = secrets_for(url, timezone.now())
    connection.close()  # the receiver may hang, and others want it
    answer = send(event=TEST, event_id=event_id, url=url, body=body, secrets=keys)
    return Trial(event_id, body, answer)
