"""``ping``: answers at once with what it was given, to see that jobs run and callbacks arrive."""

from typing import Annotated, Any

from msgspec import Meta

from jobs.contract import Context, JobType

PingInput = Annotated[Any, Meta(description="Anything; it comes back unchanged.", examples=[{"hello": "world"}])]


def run(ctx: Context, job_input: Any) -> dict[str, Any]:
    """Return the input, and which attempt of which job this is."""
    return {
        "summary": "pong",
        "input": job_input,
        "ctx": {"jobId": ctx.job_id, "attempt": ctx.attempt},
    }


JOB_TYPE = JobType(
    name="ping",
    description="Answers pong and returns its input, to check that jobs run and callbacks arrive.",
    input_model=PingInput,
    run=run,
    light=True,
)
