"""Events on the wire."""

from typing import Any

import msgspec

from pirunner.times import iso
from webhooks.models import Event


def read_event(event: Event) -> dict[str, Any]:
    """Return an event as the feed shows it; what concerns no job has no ``jobId``."""
    return {
        "seq": event.seq,
        "event": event.kind,
        "at": iso(event.at),
        "jobId": str(event.job_id) if event.job_id else None,
        "payload": msgspec.Raw(event.payload.encode()),
    }
