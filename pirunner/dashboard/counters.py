"""How many jobs are where."""

from datetime import timedelta
from typing import Any

from jobs.rollup_selectors import ends_since
from jobs.states import State
from pirunner.dashboard.look import Look
from pirunner.wording import span

DAY = timedelta(hours=24)
"""By the whole hours that end within it, as the chart has them."""


def show(look: Look) -> dict[str, Any]:
    """Return the counts: open jobs as they are now, ended ones of the last 24 hours and of all that are kept."""
    day = dict.fromkeys((State.COMPLETED.value, State.FAILED.value, State.CANCELLED.value), 0)
    for _, state, ended in ends_since(look.now - DAY):
        day[state] += ended
    oldest = look.oldest_waiting
    return {
        "states": look.states,
        "day": day,
        "oldest": "" if oldest is None else span(oldest),
        "dead": look.deliveries.dead if look.may("webhooks.view_delivery") else None,
    }
