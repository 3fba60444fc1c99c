"""Who did what to a schedule."""

from datetime import datetime

from schedules.models import AuditEntry, Schedule


def note(schedule: Schedule, action: str, *, by: str, at: datetime, details: str = "") -> None:
    """Keep an entry, in the transaction of what was done."""
    AuditEntry.objects.create(
        schedule_id=schedule.public_id, name=schedule.name, action=action, by=by[:150], at=at, details=details
    )
