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
        Meta(min_length=1, max_length=200, description="Whom it is for; passed on as it is.", examples=["ana"]),
    ] = "agent-main"


def prepare(value: Any) -> Any:
    """Return the input as the old runner read it, ``String(field || default).trim()``; blank is absent."""
    if not isinstance(value, dict):
        return value
    texts = {
        field: trim(to_string(value[field]))
        for field in ReminderInput.__struct_encode_fields__
        if to_boolean(value.get(field))
    }
    return {field: text for field, text in texts.items() if text}


def run(ctx: Context, job_input: ReminderInput) -> dict[str, Any]:
    """Return the reminder, stamped with the time of this attempt."""
    return {
        "summary": f"⏰ {job_input.title}: {job_input.message}",
        "reminder": {
            "title": job_input.title,
            "message": job_input.message,
            "recipient": job_input.recipient,
            "sentAt": iso(datetime.now(UTC)),
        },
        "context": {"jobId": ctx.job_id, "attempt": ctx.attempt},
    }


JOB_TYPE = JobType(
    name="reminder",
    description="Reminds somebody: schedule it for later, and its callback carries the message.",
    input_model=ReminderInput,
    run=run,
    prepare=prepare,
    light=True,
)
