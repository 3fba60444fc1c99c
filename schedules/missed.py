"""The event that due times of a schedule were missed: nobody was there to fire them in time."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from jobs.events import MISSED, callback_url_for
from pirunner.times import iso
from schedules.models import Schedule
from schedules.plan import Row
from schedules.rules import Reason
from webhooks.ecmascript_json import dumps
from webhooks.services import NewEvent


def missed_events(schedule: Schedule, rows: Sequence[Row], *, at: datetime) -> list[NewEvent]:
    """Return one event if any of these rows was missed, else none."""
    missed = [row for row in rows if row.reason is Reason.MISSED]
    if not missed:
        return []
    event_id = f"evt_{secrets.token_hex(12)}"
    body = {
        "scheduleId": schedule.public_id,
        "scheduleName": schedule.name or None,
        "jobType": schedule.job_type,
        "status": "missed",
        "dueAt": iso(missed[0].due_at),
        "untilDueAt": iso(missed[-1].until_due_at),
        "count": sum(row.count for row in missed),
        "caughtUp": sum(row.fires for row in missed),
        "eventId": event_id,
    }
    if schedule.metadata is not None:
        body["metadata"] = schedule.metadata
    called = callback_url_for(MISSED, schedule.callback_url, schedule.callback_events)
    return [NewEvent(job_id=0, kind=MISSED, event_id=event_id, at=at, text=dumps(body), callback_url=called)]
