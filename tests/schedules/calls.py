"""Calls of the schedules API, for tests."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from schedules.firing import fire_due
from schedules.models import Schedule
from tests.parts import Api

EVERY_HOUR = {"everySeconds": 3600}
AT_NINE = {"cron": "0 9 * * 1-5", "tz": "Asia/Kolkata"}


def body(schedule: Any = AT_NINE, **fields: Any) -> dict[str, Any]:
    """Return the body of a submission that recurs."""
    return {"jobType": "ping", "schedule": schedule, **fields}


def make(api: Api, schedule: Any = AT_NINE, **fields: Any) -> str:
    """Make a schedule by ``POST /jobs`` and return its id."""
    answer = api.post("/jobs", body(schedule, **fields))
    assert answer.status_code == 202, answer.content
    return str(answer.json()["jobId"])


def faults(answer: Any) -> dict[tuple[Any, ...], str]:
    """Return the code of each fault by its place."""
    assert answer.status_code == 400, answer.content
    told = answer.json()
    assert told["error"] == "invalid_payload", told
    assert all(set(fault) == {"path", "code", "message"} and fault["message"] for fault in told["details"])
    assert len({tuple(fault["path"]) for fault in told["details"]}) == len(told["details"]), told
    return {tuple(fault["path"]): fault["code"] for fault in told["details"]}


def message_at(answer: Any, *path: Any) -> str:
    """Return what is said of one place."""
    (message,) = [fault["message"] for fault in answer.json()["details"] if fault["path"] == list(path)]
    return str(message)


def error(answer: Any) -> tuple[int, str]:
    """Return the status and the code of an error."""
    assert answer["Content-Type"] == "application/json"
    return answer.status_code, answer.json()["error"]


def row(schedule_id: str) -> Schedule:
    """Return the row of a schedule."""
    return Schedule.objects.get(public_id=schedule_id)


def fire(schedule_id: str, *, late: float = 0.0) -> None:
    """Let a schedule have been due so many seconds ago, with everything before covered, and fire what is due."""
    schedule = row(schedule_id)
    due = timezone.now().replace(microsecond=0) - timedelta(seconds=late)
    assert schedule.every_seconds, "only intervals are moved in time"
    Schedule.objects.filter(pk=schedule.pk).update(
        first_at=due, next_due_at=due, covered_until=due - timedelta(seconds=1)
    )
    fire_due(timezone.now())
