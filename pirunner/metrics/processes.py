"""Processes: who shows signs of life, whether workers listen, and whether the relay takes callbacks."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from prometheus_client.core import Metric

from jobs import canary
from pirunner.metrics.families import SourceSilent, gauge, gauges
from pirunner.signs import RELAY, all_signs

ROLES = ("worker", "io", "clock")


def read(now: datetime) -> Iterator[Metric]:
    """Yield who is alive; raises ``SourceSilent`` when the broker does not tell."""
    del now
    signs = all_signs()
    if signs is None:
        raise SourceSilent("The broker does not answer.")
    alive = {(role,): len(signs.get(role, {})) for role in ROLES}
    yield gauges("pirunner_processes_alive", "Processes that showed themselves lately.", ("role",), alive)
    if settings.RELAY:
        yield gauge("pirunner_relay_up", "Whether a relay takes callbacks for your phone.", int(RELAY in signs))


def read_canary(now: datetime) -> Iterator[Metric]:
    """Yield what the canary tells; without samples before its first question."""
    yield gauge("pirunner_canary_age_seconds", "For how long no worker has answered the canary.", canary.age(now))
    yield gauge(
        "pirunner_canary_silent",
        "Whether a question has been waiting for its answer for a minute, while nothing runs.",
        int(canary.is_silent(now)),
    )
