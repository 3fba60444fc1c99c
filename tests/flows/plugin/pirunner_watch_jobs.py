"""A job type that tells what it does, installed beside pirunner as any package with job types would be."""

from typing import Any

import msgspec

from jobs.contract import Context, JobType


class Input(msgspec.Struct):
    """How many lines to write, and the seconds between two."""

    lines: int = 10
    pause: float = 0.1


def chatter(ctx: Context, job_input: Input) -> dict[str, Any]:
    """Write numbered lines, and say how far it is."""
    for number in range(job_input.lines):
        ctx.log(f"line {number}")
        ctx.progress(100 * number / job_input.lines)
        ctx.sleep(job_input.pause)
    return {"summary": f"wrote {job_input.lines} lines"}


CHATTER = JobType(name="chatter", description="Writes lines.", input_model=Input, run=chatter)
