"""What handlers are given."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs import context as context_module
from jobs.context import RunContext
from jobs.errors import DoNotRetry, JobCancelled
from jobs.models import Job, LogLine
from jobs.runs import Claim
from tests.jobs.making import claim, start
from tests.parts import wait_for
from webhooks.egress import AddressRefused
from webhooks.models import Event

committed = pytest.mark.usefixtures("committed_db")


def test_it_tells_job_run_and_attempt() -> None:
    context = RunContext(claim(job_id=41, run=3, attempts_made=1))

    assert (context.job_id, context.run, context.attempt) == ("41", 3, 2)


# -- artifacts ----------------------------------------------------------------------------------------------------


def test_text_is_written_as_utf8(owner: Any) -> None:
    stored = RunContext(claim()).artifact("brief.md", "⏰")

    assert (stored.size, stored.media_type) == (3, "text/markdown")
    assert Path(stored.path) == owner.DATA_DIR / "41" / "3" / "brief.md"


def test_it_keeps_what_was_written_in_order_and_of_one_name_the_last() -> None:
    context = RunContext(claim())
    context.artifact("a.txt", "1", "text/plain")
    context.artifact("b.bin", b"\x00", "application/octet-stream")
    context.artifact("a.txt", "22", "text/plain")

    assert [(stored.name, stored.size) for stored in context.artifacts] == [("a.txt", 2), ("b.bin", 1)]


def test_the_files_of_a_run_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "ARTIFACT_BYTES", 10)
    context = RunContext(claim())
    context.artifact("a", "123456")

    with pytest.raises(DoNotRetry, match="10 bytes"):
        context.artifact("b", "12345")
    context.artifact("c", "1234")


@pytest.mark.parametrize("media_type", ["text/" + "x" * 200, "text/plain\x00", "", "ö/ö"])
def test_a_media_type_that_no_row_keeps_fails_the_attempt_at_once(media_type: str) -> None:
    with pytest.raises(ValueError, match="media type"):
        RunContext(claim()).artifact("a", "1", media_type)


# -- the HTTP client ----------------------------------------------------------------------------------------------


def test_the_client_refuses_private_addresses() -> None:
    with pytest.raises(AddressRefused):
        RunContext(claim()).http.get("http://127.0.0.1:1/")


def test_the_client_follows_the_owners_list(owner: Any) -> None:
    owner.FETCH_ALLOWED_HOSTS = ("127.0.0.1:1",)
    context = RunContext(claim())

    with pytest.raises(Exception, match="could not be connected to"):
        context.http.get("http://127.0.0.1:1/")
    assert context.http is context.http


# -- progress and log ---------------------------------------------------------------------------------------------


@committed
def test_progress_and_lines_are_written_soon() -> None:
    started = start()
    context = RunContext(started)

    context.progress(41.9, "half")
    context.log("line 1")
    context.log("line 2\x00", "error")

    wait_for(lambda: LogLine.objects.count() == 2)
    job = Job.objects.get()
    assert (job.progress, job.status_message) == (41, "half")
    lines = LogLine.objects.order_by("pk").values_list("job_id", "run", "level", "message")
    assert list(lines) == [(job.pk, 1, "info", "line 1"), (job.pk, 1, "error", "line 2�")]
    assert Event.objects.filter(kind="job.progress").count() == 1
    context.close()


@committed
def test_what_was_said_last_is_written_at_the_end() -> None:
    context = RunContext(start())
    context.progress(250, "over")
    context.log("last words", "no such level")

    context.close()

    assert Job.objects.get().progress == 100
    assert LogLine.objects.get().level == "info"


@committed
def test_a_stale_run_moves_no_progress() -> None:
    started = start()
    Job.objects.update(token="x" * 32)
    context = RunContext(started)

    context.progress(50)
    context.close()

    assert Job.objects.get().progress == 0


def test_a_run_that_says_nothing_starts_no_thread() -> None:
    context = RunContext(claim())

    context.close()

    assert context._reporter._thread is None


# -- cancelling ---------------------------------------------------------------------------------------------------


def request_cancel(at: datetime | None = None) -> None:
    Job.objects.update(cancel_requested_at=at or timezone.now(), cancel_requested_by="ana")


@pytest.fixture
def looking_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "LOOK_SECONDS", 0.01)


def context_of(started: Claim) -> RunContext:
    context = RunContext(started)
    context._looked_at = float("-inf")
    return context


@pytest.mark.django_db
def test_a_job_that_nobody_cancelled_is_not_cancelled() -> None:
    assert not context_of(start()).cancelled()


@pytest.mark.django_db
def test_a_cancelled_job_is_seen_and_stays_seen() -> None:
    context = context_of(start())
    request_cancel()

    assert context.cancelled()
    Job.objects.update(cancel_requested_at=None)
    assert context.cancelled()


@pytest.mark.django_db
def test_it_looks_twice_a_second_at_most(django_assert_num_queries: Any) -> None:
    context = context_of(start())

    with django_assert_num_queries(1):
        for _ in range(100):
            context.cancelled()


@pytest.mark.django_db
@pytest.mark.usefixtures("looking_always")
def test_a_cancel_wakes_a_sleeper() -> None:
    context = context_of(start())
    request_cancel()
    begun = time.monotonic()

    with pytest.raises(JobCancelled):
        context.sleep(30)

    assert time.monotonic() - begun < 5


@pytest.mark.django_db
@pytest.mark.usefixtures("looking_always")
def test_without_a_cancel_a_sleep_takes_its_time() -> None:
    context = context_of(start())
    begun = time.monotonic()

    context.sleep(0.05)

    assert time.monotonic() - begun >= 0.05
