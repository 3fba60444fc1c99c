"""Callbacks: what is on its way, what is dead, and the messages of the relay."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import Metric

from pirunner.metrics.families import counter, gauge, gauges
from webhooks.selectors import count_pending_notices, delivery_figures, newest_attempt


def read(now: datetime) -> Iterator[Metric]:
    """Yield what there is to say of callbacks and messages."""
    figures = delivery_figures(now)
    states = {("pending",): figures.pending, ("dead",): figures.dead}
    yield gauges("pirunner_deliveries", "Callbacks that are still to be sent, and dead letters.", ("state",), states)
    yield gauge(
        "pirunner_deliveries_oldest_due_seconds",
        "For how long the oldest callback that is due has been due.",
        figures.oldest_due_seconds or 0.0,
    )
    yield gauge(
        "pirunner_delivery_failing_hosts", "Hosts that did not take their last callback.", figures.failing_hosts
    )
    yield counter("pirunner_delivery_attempts", "Attempts at callbacks that were noted.", newest_attempt())
    yield gauge("pirunner_notices_pending", "Messages of the relay that are still to be sent.", count_pending_notices())
