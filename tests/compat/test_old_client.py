"""A client written for pi-agent-runner, in Node and unchanged, against a running pirunner."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack import Stack, free_port

pytestmark = pytest.mark.flow

CLIENT = Path(__file__).with_name("old_client.mjs")
OLD_FIELDS = {
    *("id", "name", "state", "attemptsMade", "progress", "returnvalue", "failedReason"),
    *("timestamp", "processedOn", "finishedOn", "data"),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the old client saw."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on PATH")
    port = free_port()
    with Stack(tmp_path_factory.mktemp("compat"), CALLBACK_ALLOWED_HOSTS=f"127.0.0.1:{port}") as stack:
        command = [node, str(CLIENT), stack.base_url, stack.token, stack.secret("WEBHOOK_SECRET"), str(port)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        yield json.loads(ran.stdout)


def test_a_submission_answers_as_before(seen: dict[str, Any]) -> None:
    assert seen["submitted"]["status"] == 202
    answer = seen["submitted"]["body"]
    assert (answer["status"], answer["backend"], answer["scheduled"]) == ("queued", "bullmq", False)


def test_the_callback_passes_the_old_relay_that_writes_the_body_again(seen: dict[str, Any]) -> None:
    assert seen["callback"]["valid"]
    assert seen["callback"]["event"] == "job.completed"


def test_the_callback_holds_the_old_fields(seen: dict[str, Any]) -> None:
    body = seen["callback"]["body"]
    assert {"jobId", "jobType", "status", "startedAt", "finishedAt", "summary", "artifactPath", "data"} <= body.keys()
    assert (body["status"], body["summary"]) == ("completed", "⏰ Čaj ☕: 5")
    assert {"message", "title", "recipient", "sentAt"} <= body["data"]["reminder"].keys()


def test_a_job_is_read_with_the_old_fields(seen: dict[str, Any]) -> None:
    job = seen["job"]["body"]
    assert job.keys() >= OLD_FIELDS
    assert (job["name"], job["state"], job["attemptsMade"]) == ("reminder", "completed", 1)
    assert job["data"]["metadata"]["requestedBy"] == "old-client"


def test_lists_and_counts_keep_their_shape(seen: dict[str, Any]) -> None:
    assert {"id", "name", "timestamp", "attemptsMade", "finishedOn"} <= seen["list"]["body"][0].keys()
    assert {"waiting", "active", "completed", "failed", "delayed"} <= seen["stats"]["body"].keys()


def test_deleting_answers_as_before_and_afterwards_there_is_nothing(seen: dict[str, Any]) -> None:
    job_id = seen["submitted"]["body"]["jobId"]
    assert seen["removed"]["body"] == {"ok": True, "id": job_id, "removed": True, "backend": "bullmq"}
    assert seen["gone"]["status"] == 404
