"""A whole pirunner: a batch of a thousand, files over the real server, and the clock that removes what is too much."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import Stack, wait_for

pytestmark = pytest.mark.flow

FEEDS = Path(__file__).resolve().parent.parent / "jobs" / "feeds"


@pytest.fixture
def feeds() -> Iterator[str]:
    """The address of a server on loopback that has feeds."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(FEEDS))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def stack(tmp_path: Path, database_url: str, feeds: str) -> Iterator[Stack]:
    """A stack that keeps ten ended jobs."""
    environment = {"FETCH_ALLOWED_HOSTS": feeds, "RETENTION_MAX_JOBS": "10"}
    with Stack(tmp_path, database_url=database_url, **environment) as running:
        yield running


def ended_jobs(stack: Stack) -> int:
    counts = stack.get("/queues/stats")
    return int(counts["completed"] + counts["failed"] + counts["cancelled"])


def test_what_many_jobs_leave_behind_is_served_and_removed(stack: Stack, feeds: str):
    job = stack.finish(stack.submit("daily-crypto-brief", input={"sources": [f"http://{feeds}/rss.xml"]}))
    assert job["state"] == "completed", job
    (artifact,) = job["artifacts"]
    folder = stack.folder / "data" / "artifacts" / job["id"]
    assert folder.is_dir()

    whole = stack.request("GET", artifact["url"])
    part = stack.request("GET", artifact["url"], Range="bytes=0-13")
    head = stack.request("HEAD", artifact["url"])
    known = stack.request("GET", artifact["url"], If_None_Match=whole.headers["etag"])

    assert (whole.status, len(whole.text.encode())) == (200, artifact["size"])
    assert (part.status, part.text) == (206, whole.text[:14])
    assert (head.status, head.text, head.headers["content-length"]) == (200, "", str(artifact["size"]))
    assert known.status == 304

    answers = stack.request("POST", "/jobs/batch", [{"jobType": "ping", "input": n} for n in range(190)])
    assert answers.status == 202
    assert len(answers.json()) == 190
    wait_for(lambda: stack.get("/queues/stats")["waiting"] == 0)

    # The clock trusts the time after 15 s; what was too old when it started would go at the latest a minute later.
    wait_for(lambda: ended_jobs(stack) == 10, 100, 0.5)
    assert len(stack.get("/jobs")) == 10
    assert not folder.exists()
    assert stack.request("GET", artifact["url"]).status == 404
