"""A backup that is taken while jobs run and are submitted, put back elsewhere, and started there."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import pytest

from pirunner.demo.feeds import SampleFeeds
from tests.stack import ROOT, Stack, wait_for

pytestmark = pytest.mark.flow

BEFORE = 60
LOOPBACK = "127.0.0.1"


def manage(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Load:
    """Submits jobs until it is stopped, and remembers which were accepted."""

    def __init__(self, stack: Stack) -> None:
        self.accepted: list[str] = []
        self._stack = stack
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._over.is_set():
            answers = self._stack.request("POST", "/jobs/batch", [{"jobType": "ping", "input": n} for n in range(5)])
            self.accepted += [answer["jobId"] for answer in answers.json()]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.mark.timeout(180)
def test_nothing_that_was_accepted_before_a_backup_is_missing_after_a_restore(
    tmp_path: Path, database_url: str, other_database_url: str
) -> None:
    if database_url and shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    archive = tmp_path / "backup.tar.gz"
    feeds = SampleFeeds()
    feeds.start()
    with Stack(tmp_path / "a", database_url=database_url, FETCH_ALLOWED_HOSTS=LOOPBACK) as first:
        brief = first.finish(first.submit("daily-crypto-brief", input={"sources": feeds.sources}))
        feeds.stop()
        delayed = first.submit("ping", input="later", schedule={"runAt": "2099-01-01T00:00:00Z"})
        schedule = first.submit("ping", schedule={"cron": "0 9 * * *"})
        with Load(first) as load:
            wait_for(lambda: len(load.accepted) >= BEFORE)
            before = [*load.accepted, brief["id"], delayed]
            taken = manage(first, "backup", str(archive), "--with-secrets", "--json")
            assert taken.returncode == 0, taken.stderr
            during = len(load.accepted) - len(before) + 2
        artifact = first.request("GET", brief["artifacts"][0]["url"]).text

    told = json.loads(taken.stdout)
    assert (archive.stat().st_mode & 0o777, told["missing"]) == (0o600, [])
    assert during > 0, "the load stood still while the backup was taken"

    second = Stack(tmp_path / "b", database_url=other_database_url, FETCH_ALLOWED_HOSTS=LOOPBACK)
    restored = manage(second, "restore", str(archive), "--with-secrets")
    assert restored.returncode == 0, restored.stderr

    with second:
        assert second.token == first.token
        ended = wait_until_drained(second)
        assert ended["failed"] == 0
        missing = [job_id for job_id in before if second.request("GET", f"/jobs/{job_id}").status != 200]
        assert missing == []
        assert {second.job(job_id)["state"] for job_id in before[:BEFORE:15]} == {"completed"}
        assert second.job(delayed)["state"] == "delayed"
        assert second.job(schedule)["state"] == "scheduled"
        assert second.request("GET", brief["artifacts"][0]["url"]).text == artifact

    forced = manage(second, "restore", str(archive), "--force")
    assert forced.returncode == 0, forced.stderr
    (aside,) = (tmp_path / "b" / "data").glob("before-restore-*")
    assert (aside / "artifacts" / brief["id"]).is_dir()


def wait_until_drained(stack: Stack) -> dict[str, int]:
    """Wait until nothing waits and nothing runs; return the counts."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        counts = stack.get("/queues/stats")
        if not counts["waiting"] and not counts["active"]:
            return dict(counts)
        time.sleep(0.1)
    raise AssertionError(f"jobs are left: {os.fspath(stack.log_path)}")
