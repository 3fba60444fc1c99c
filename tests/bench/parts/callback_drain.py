"""Puts callbacks into a running stack, rings for each, and waits until the live ones are delivered.

Takes ``{"live": [URL, ...], "dead": URL or "", "count": N}`` from standard input: N callbacks go to the live receivers
in turn, and if there is a dead one, N more go there, one before each of the others. Prints the seconds as JSON.
"""

import json
import os
import sys
import time
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import django

from pirunner.up.lifeline import die_with

if TYPE_CHECKING:
    from webhooks.services import NewEvent

LOOK_SECONDS = 0.01
CHAIN = 100
PATIENCE_SECONDS = 240.0


def main() -> None:
    """Fill, ring, wait, print."""
    die_with(os.getppid())
    os.environ["DJANGO_SETTINGS_MODULE"] = "pirunner.settings"
    django.setup()
    order: dict[str, Any] = json.load(sys.stdin)
    urls = [
        url
        for live in islice(cycle(order["live"]), order["count"])
        for url in ([order["dead"], live] if order["dead"] else [live])
    ]
    ids = _fill(urls)
    began = time.perf_counter()
    _ring(ids)
    _wait([pk for pk, url in zip(ids, urls, strict=True) if url != order["dead"]])
    print(json.dumps({"seconds": time.perf_counter() - began}))


def _fill(urls: list[str]) -> list[int]:
    from django.db import transaction

    from webhooks.services import record_events

    with transaction.atomic():
        return record_events([_event(number, url) for number, url in enumerate(urls)])


def _event(number: int, url: str) -> "NewEvent":
    from django.utils import timezone

    from webhooks.services import NewEvent

    # What a ping's callback says, and the number by which the receiver knows it.
    text = json.dumps({"jobId": "1", "jobType": "ping", "status": "completed", "metadata": {"n": number}})
    return NewEvent(
        job_id=1,
        kind="job.completed",
        event_id=f"evt_{time.time_ns()}_{number}",
        at=timezone.now(),
        text=text,
        callback_url=url,
    )


def _ring(ids: list[int]) -> None:
    """Ring as a worker does that has ended light jobs, a hundred at a time."""
    from pirunner.doorbell import Ring, publish
    from webhooks.services import DELIVER_TASK, QUEUE, heads_of

    for start in range(0, len(ids), CHAIN):
        for delivery_id in heads_of(ids[start : start + CHAIN]):
            publish(Ring(DELIVER_TASK, delivery_id, QUEUE))


def _wait(ids: list[int]) -> None:
    from webhooks.models import Delivery

    delivered = Delivery.objects.filter(pk__gte=min(ids), pk__lte=max(ids), state="delivered")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while delivered.count() < len(ids):  # of the dead ones none is
        if time.monotonic() > deadline:
            raise TimeoutError(f"{delivered.count()} of {len(ids)} callbacks are delivered")
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()
