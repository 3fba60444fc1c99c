"""``reminder``: a sentence for somebody; the callback of its end is what carries it there."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobs.contract import Context, JobType
from jobs.javascript import to_boolean, to_string, trim
from pirunner.times import iso


class ReminderInput(msgspec.Struct, frozen=True, rename="camel"):
    """What to remind of, and whom."""

    message: Annotated[
        str,
        Meta(min_length=1, max_length=4000, description="What to remind of.", examples=["Take out the bins."]),
    ]
    title: Annotated[
        str, Meta(min_length=1, max_length=200, description="Stands before the message.", examples=["Home"])
    ] = "Reminder"
    recipient: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="Whom it is for: a name of NOTIFY_RECIPIENTS, else the usual services are told.",
            examples=["ana"],
        ),
    ] = "agent-main"
    snoozes: Annotated[int, Meta(ge=0, description="How often it was put off; snoozing counts it.")] = 0
    snooze_of: (
        Annotated[str, Meta(max_length=20, description="The reminder it is a repetition of; snoozing sets it.")] | None
    ) = None


_TEXTS = ("message", "title", "recipient")


def prepare(value: Any) -> Any:
    """Return the input as the old runner read it, ``String(field || default).trim()``; blank is absent."""
    if not isinstance(value, dict):
        return value
    texts = {field: trim(to_string(value[field])) for field in _TEXTS if to_boolean(value.get(field))}
    others = {field: given for field, given in value.items() if field not in _TEXTS}
    return others | {field: text for field, text in texts.items() if text}


def run(ctx: Context, job_input: ReminderInput) -> dict[str, Any]:
    """Return the reminder, stamped with the time of this attempt, and how late that is."""
    now = datetime.now(UTC)
    return {
        "summary": f"⏰ {job_input.title}: {job_input.message}",
        "reminder": {
            "title": job_input.title,
            "message": job_input.message,
            "recipient": job_input.recipient,
            "sentAt": iso(now),
        },
        "context": {"jobId": ctx.job_id, "attempt": ctx.attempt},
        "dueAt": iso(ctx.due_at),
        "lateSeconds": round(max(0.0, (now - ctx.due_at).total_seconds()), 1),
        "snoozes": job_input.snoozes,
        "snoozeOf": job_input.snooze_of,
    }


JOB_TYPE = JobType(
    name="reminder",
    description="Reminds somebody: schedule it for later, and its callback carries the message.",
    input_model=ReminderInput,
    run=run,
    prepare=prepare,
    light=True,
)
