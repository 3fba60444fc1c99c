"""The last outage: when nobody was there, and what it cost."""

import json
from typing import Any

from django.conf import settings

from jobs.events import RECOVERED
from pirunner.dashboard.look import Look
from pirunner.times import parse_moment
from pirunner.wording import span
from pirunner.zones import find_zone
from webhooks.selectors import latest_event

LOOKED_AT = 200


def show(look: Look) -> dict[str, Any]:  # noqa: ARG001  (every panel is given the look)
    """Return the last outage that is still among the events, and for how many days those are kept."""
    event = latest_event(RECOVERED, job_id=0, of_last=LOOKED_AT)
    if event is None:
        return {"outage": None, "days": settings.EVENT_RETENTION_DAYS}
    told = json.loads(event.payload)
    zone = find_zone(settings.TIME_ZONE)
    return {
        "outage": {
            "since": parse_moment(told["from"], zone),
            "until": parse_moment(told["to"], zone),
            "took": span(told["seconds"]),
            "taken_back": len(told["takenBack"]),
            "late": len(told["late"]),
        }
    }
