"""A running pirunner as the readers of the pages have it: one job done, and the job type of job-authoring.md."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pirunner.demo.feeds import SampleFeeds
from tests.docs.pages import ROOT, blocks
from tests.stack import Stack, wait_for

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack on SQLite, for what is documented is the same on PostgreSQL.

    Job 1 is a brief like the demo's, job 2 counts words, has a log, and a callback that nobody takes; job 3 is of a
    schedule.
    """
    folder = tmp_path_factory.mktemp("docs")
    path = os.pathsep.join(filter(None, (str(_install_example(folder)), os.environ.get("PYTHONPATH", ""))))
    stack = Stack(
        folder,
        PYTHONPATH=path,
        RUNNER_JOBS="built-in,word-count",
        CALLBACK_ALLOWED_HOSTS=LOOPBACK,
        FETCH_ALLOWED_HOSTS=LOOPBACK,
    )
    with stack, _sample_feeds() as sources:
        stack.finish(stack.submit("daily-crypto-brief", input={"maxItems": 5, "sources": sources}))
        nobody = f"http://{LOOPBACK}:9/hook"
        stack.finish(stack.submit("word-count", input={"text": "to be or not to be"}, callbackUrl=nobody))
        wait_for(lambda: stack.get("/deliveries/1")["attemptLog"])
        _make_schedule(stack)
        yield stack


def _make_schedule(stack: Stack) -> None:
    every_day = {"cron": "0 9 * * MON-FRI", "tz": "Europe/Berlin"}
    body = {"jobType": "reminder", "input": {"message": "Stand up"}, "schedule": every_day}
    assert stack.request("PUT", "/schedules/stand-up", body).status == 201
    stack.finish(stack.request("POST", "/schedules/stand-up/run").json()["jobId"])


@contextmanager
def _sample_feeds() -> Iterator[list[str]]:
    feeds = SampleFeeds()
    feeds.start()
    try:
        yield feeds.sources
    finally:
        feeds.stop()


def _install_example(folder: Path) -> Path:
    """Write the package of job-authoring.md as pip would install it; return the folder to import it from."""
    page = ROOT / "docs" / "job-authoring.md"
    site = folder / "site"
    metadata = site / "word_count-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "word_count.py").write_text(blocks(page, "python")[0].text)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: word-count\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pirunner.jobs]\nword-count = word_count:JOB_TYPE\n")
    return site
