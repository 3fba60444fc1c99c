"""A client written for pi-agent-runner, in Node and unchanged, against a running pirunner."""

import json
import re
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

OLD_FIELDS_OF_SCHEDULES = {
    *("id", "backend", "enabled", "jobType", "input", "callbackUrl", "metadata"),
    *("schedule", "repeatKey", "createdAt", "updatedAt"),
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


def test_what_repeats_is_answered_as_before(seen: dict[str, Any]) -> None:
    for call, backend in (("repeating", "bullmq"), ("byCron", "celery")):
        assert seen[call]["status"] == 202
        answer = seen[call]["body"]
        assert (answer["status"], answer["backend"], answer["scheduled"]) == ("queued", backend, True)


def test_schedules_are_listed_with_the_old_fields(seen: dict[str, Any]) -> None:
    first, second = seen["schedules"]["body"]["schedules"]
    for schedule in (first, second):
        assert schedule.keys() >= OLD_FIELDS_OF_SCHEDULES
        assert all(re.fullmatch(r"[-0-9]{10}T[:0-9]{8}\.\d{3}Z", schedule[at]) for at in ("createdAt", "updatedAt"))
    assert (first["id"], first["backend"], first["enabled"]) == (seen["repeating"]["body"]["jobId"], "bullmq", True)
    assert (first["schedule"], first["metadata"]) == ({"everySeconds": 3600}, {"requestedBy": "old-client"})
    assert second["schedule"] == {"cron": "0 9 * * 1-5", "tz": "Asia/Kolkata"}


def test_a_schedule_is_read_where_jobs_are(seen: dict[str, Any]) -> None:
    read = seen["asJob"]["body"]
    assert (read["id"], read["name"], read["state"]) == (seen["repeating"]["body"]["jobId"], "ping", "scheduled")
    assert read["data"].keys() >= {"jobType", "input", "callbackUrl", "metadata", "schedule", "backend"}
    assert read["schedule"].keys() >= OLD_FIELDS_OF_SCHEDULES
    assert seen["asPaused"]["body"]["state"] == "paused"


def test_pause_and_resume_answer_as_before(seen: dict[str, Any]) -> None:
    for call, enabled in (("paused", False), ("resumed", True)):
        answer = seen[call]["body"]
        assert seen[call]["status"] == 200
        assert (answer["ok"], answer["backend"], answer["enabled"]) == (True, "bullmq", enabled)


def test_deleting_a_schedule_answers_as_before(seen: dict[str, Any]) -> None:
    schedule_id = seen["repeating"]["body"]["jobId"]
    assert seen["unscheduled"]["body"] == {"ok": True, "id": schedule_id, "removed": True, "backend": "bullmq"}
    assert [schedule["jobType"] for schedule in seen["left"]["body"]["schedules"]] == ["reminder"]
