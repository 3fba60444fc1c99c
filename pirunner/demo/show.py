"""The demo itself: submits ``daily-crypto-brief``, waits, and shows the job, its artifact and its callback."""

import json
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from pirunner import env
from pirunner.demo.client import Client
from pirunner.demo.faults import DemoFault
from pirunner.demo.story import Story
from webhooks.receiver import VerifiedCallback

JOB_TYPE = "daily-crypto-brief"
_PATIENCE = 60.0  # seconds for the job, and again for the callback
_FIRST_LINES = 8


def show_submission(story: Story, client: Client, *, sources: list[str], callback_url: str) -> str:
    """Submit the job, show the answer, and return the job's id."""
    body: dict[str, Any] = {
        "jobType": JOB_TYPE,
        "input": {"maxItems": 5, **({"sources": sources} if sources else {})},
        "callbackUrl": callback_url,
        "metadata": {"requestedBy": "demo"},
    }
    with story.step(f"POST /jobs {{jobType: {JOB_TYPE}}}"):
        answer = client.submit(body)
    story.tell("202 " + json.dumps(answer))
    return str(answer["jobId"])


def show_job(story: Story, client: Client, job_id: str) -> dict[str, Any]:
    """Wait for the job's end, show it, and return what it returned."""
    with story.step(f"GET /jobs/{job_id}?wait=10, until the job has ended"):
        job = client.wait(job_id, _PATIENCE)
    if job["state"] != "completed":
        raise DemoFault(f"The job is {job['state']}: {job.get('failedReason')}")
    result: dict[str, Any] = job["returnvalue"]
    story.tell(f"{job['state']} after {job['attemptsMade']} attempt(s): {result['summary']}")
    return result


def show_artifact(story: Story, result: dict[str, Any]) -> None:
    """Show where the artifact lies, how long it is, and how it begins."""
    path = _artifact_folder() / str(result["artifactPath"])
    with story.step("The artifact"):
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise DemoFault(f"The artifact cannot be read: {error}.") from error
    story.tell(f"{path} ({path.stat().st_size} bytes)")
    lines = text.splitlines()
    story.tell("\n".join(f"| {line}" for line in lines[:_FIRST_LINES]))
    if len(lines) > _FIRST_LINES:
        story.tell(f"| ... {len(lines) - _FIRST_LINES} more lines")


def show_callback(story: Story, callbacks: "Queue[VerifiedCallback]", job_id: str) -> None:
    """Wait for the job's callback, whose signature the receiver has verified, and show it."""
    with story.step("The signed callback"):
        callback = _next_callback(callbacks)
    if callback.payload.get("jobId") != job_id:
        raise DemoFault(f"The callback is about job {callback.payload.get('jobId')}, not {job_id}.")
    story.tell(f"{callback.event}, {callback.event_id or 'without an id'}, signature verified")
    story.tell(f"summary: {callback.payload.get('summary')}")


def _next_callback(callbacks: "Queue[VerifiedCallback]") -> VerifiedCallback:
    try:
        return callbacks.get(timeout=_PATIENCE)
    except Empty:
        raise DemoFault(f"No callback arrived within {_PATIENCE:.0f} s.") from None


def _artifact_folder() -> Path:
    data = env.path("RUNNER_DATA_DIR") or env.ROOT / "data"
    return env.path("DATA_DIR") or data / "artifacts"
