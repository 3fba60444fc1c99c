"""Callbacks that nobody took: what was given up, and who takes none."""

from typing import Any

from pirunner.dashboard.look import Look
from webhooks.selectors import failing_hosts, latest_dead

MOST = 4
HOSTS = 3


def show(look: Look) -> dict[str, Any]:
    """Return the figures of the callbacks, the newest dead letters and the hosts that fail."""
    figures = look.deliveries
    return {
        "figures": figures,
        "letters": latest_dead(MOST) if figures.dead else [],
        "more": max(0, figures.dead - MOST),
        "hosts": failing_hosts(HOSTS) if figures.failing_hosts else [],
    }
