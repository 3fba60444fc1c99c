"""Publishes no-op tasks where nobody listens, moves them all at once to where raw Celery's worker does, and waits.

The argument is how many. Prints the seconds of both as JSON.
"""

import json
import os
import sys
import time

import redis

from pirunner.up.lifeline import die_with
from tests.bench.parts.celery_app import PARKED, QUEUE, app, nothing

LOOK_SECONDS = 0.005


def main() -> None:
    """Publish, move, wait, print."""
    die_with(os.getppid())
    count = int(sys.argv[1])
    client = redis.Redis.from_url(app.conf.broker_url.replace("redis+socket://", "unix://"))
    began = time.perf_counter()
    for number in range(count):
        nothing.apply_async((number,), queue=PARKED)
    filled = time.perf_counter()
    assert client.llen(PARKED) == count
    client.rename(PARKED, QUEUE)
    # Acknowledged on receipt: when no message is left or held, the last task has been handed to a child.
    while client.llen(QUEUE) or client.hlen("unacked"):
        time.sleep(LOOK_SECONDS)
    print(json.dumps({"fill": filled - began, "drain": time.perf_counter() - filled}))


if __name__ == "__main__":
    main()
