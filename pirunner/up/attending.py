"""A thread that shows that a worker's parent works, where it runs as a part of its own; read in the child only.

There the clock cannot reach the supervisor through their shared memory, because they do not share any: so the worker
looks itself whether the clock has called the workers deaf, and tells its own supervisor.
"""

import logging
import threading
import time

from celery.signals import worker_ready
from django.db import DatabaseError
from django.utils import timezone

from jobs.keeper import with_database
from jobs.models import Canary
from pirunner import lifesign

log = logging.getLogger(__name__)

SHOWN_EVERY = 5.0  # seconds
ASKED_EVERY = 15.0  # seconds


def attend(role: str, *, may_be_deaf: bool) -> None:
    """Begin as soon as the worker is ready, which means that it has found its broker."""
    thread = threading.Thread(target=_attend, args=(role,), kwargs={"may_be_deaf": may_be_deaf}, daemon=True)
    worker_ready.connect(lambda **_: thread.start(), weak=False)


def _attend(role: str, *, may_be_deaf: bool) -> None:
    since, asked = timezone.now(), time.monotonic()
    while True:
        lifesign.show(role)
        time.sleep(SHOWN_EVERY)
        if not may_be_deaf or time.monotonic() - asked < ASKED_EVERY:
            continue
        asked = time.monotonic()
        try:
            if with_database(Canary.objects.filter(deaf_at__gt=since).exists):
                lifesign.call_deaf()
        except DatabaseError as error:
            log.debug("The database does not say whether the workers are deaf: %s", error)
