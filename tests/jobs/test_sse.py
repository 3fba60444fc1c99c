"""``GET /jobs/:id/events``: a job as a stream of server-sent events."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.utils import timezone

from jobs import following
from jobs.apps import LOG
from jobs.endings import completed, given_back
from jobs.following import JobStream
from jobs.lifecycle import end_many
from jobs.models import Job, LogLine
from jobs.reporting import Reporter
from jobs.steering import delete_job, retry_job
from tests.jobs.making import active, start, waiting
from tests.parts import Api
from tests.sse import Message, messages, names
from webhooks.models import Event
from webhooks.watcher import EVENTS, Watcher

pytestmark = pytest.mark.usefixtures("committed_db")


def follow(api: Api, job_id: object, last_event_id: str = "") -> StreamingHttpResponse:
    answer = api.get(f"/jobs/{job_id}/events", Last_Event_ID=last_event_id)
    assert answer.status_code == 200
    return cast("StreamingHttpResponse", answer)


def chunks(answer: StreamingHttpResponse) -> Iterator[list[Message]]:
    """Yield the messages that are sent together, as they come."""
    return (messages(chunk.decode()) for chunk in iter(answer))


def whole(answer: StreamingHttpResponse) -> list[Message]:
    """Return all messages of a stream that ends by itself."""
    return [message for chunk in chunks(answer) for message in chunk]


def say(claim: Any, *lines: str, percent: float | None = None) -> None:
    """Write what a handler says."""
    reporter = Reporter(claim)
    for line in lines:
        reporter.log(line, "info")
    if percent is not None:
        reporter.progress(percent, "under way")
    reporter.close()


def end(claim: Any) -> None:
    end_many([completed(claim, {"summary": "done"}, at=timezone.now())])


def test_a_job_that_has_ended_is_its_state_and_the_end(api: Api):
    claim = start()
    say(claim, "a line")
    end(claim)

    answer = follow(api, claim.job_id)
    state, last = whole(answer)

    assert answer["Content-Type"] == "text/event-stream"
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Accel-Buffering"] == "no"
    assert (state.name, last.name) == ("state", "end")
    assert state.content == api.get("/jobs").json()[0]
    assert last.content == {"id": str(claim.job_id), "state": "completed"}
    assert state.id == last.id == f"{Event.objects.latest('seq').seq}.{LogLine.objects.latest('id').pk}"


def test_a_result_that_is_no_unicode_is_told_all_the_same(api: Api):
    job = waiting(state="completed", result={"half": "\ud83d"})

    state, _ = whole(follow(api, job.pk))

    assert state.content["returnvalue"] == {"half": "\ud83d"}


def test_a_running_job_is_told_as_it_goes(api: Api):
    claim = start()
    stream = chunks(follow(api, claim.job_id))

    assert names(next(stream)) == ["state"]
    say(claim, "first", "second", percent=40)
    (first, second, progress) = next(stream)
    end(claim)
    (completion,) = next(stream)
    (last,) = next(stream)

    assert names([first, second, progress, completion, last]) == ["log", "log", "progress", "job.completed", "end"]
    assert [first.content["message"], second.content["message"]] == ["first", "second"]
    assert progress.content["progress"] == 40
    assert completion.content["summary"] == "done"
    assert list(stream) == []


def test_every_id_resumes_exactly_where_it_stands(api: Api):
    claim = start()
    say(claim, "a", "b", percent=10)
    say(claim, "c", percent=90)
    end(claim)

    state, *told, last = whole(follow(api, claim.job_id, "0.0"))

    assert names(told) == ["job.started", "log", "log", "progress", "log", "progress", "job.completed"]
    assert (state.id, last.id) == ("0.0", told[-1].id)
    for number, message in enumerate(told, start=1):
        resumed = whole(follow(api, claim.job_id, message.id))
        assert resumed[0].id == message.id
        assert resumed[1:-1] == told[number:]


def test_a_browser_may_give_the_id_in_the_query(api: Api):
    claim = start()
    end(claim)
    stream = cast("StreamingHttpResponse", api.get(f"/jobs/{claim.job_id}/events?lastEventId=0.0"))

    assert names(whole(stream)) == ["state", "job.started", "job.completed", "end"]


def test_long_histories_come_in_parts_and_whole(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(following, "BATCH", 2)
    claim = start()
    say(claim, *"abcdefg")
    end(claim)

    told = whole(follow(api, claim.job_id, "0.0"))

    assert [message.content["message"] for message in told if message.name == "log"] == list("abcdefg")
    assert names(told)[-1] == "end"
    assert names(told).count("job.completed") == 1


def test_other_jobs_are_not_told(api: Api):
    claim, other = start(), start()
    say(other, "not mine")
    end(other)
    end(claim)

    assert names(whole(follow(api, claim.job_id, "0.0"))) == ["state", "job.started", "job.completed", "end"]


def test_a_retried_job_is_followed_to_its_last_end(api: Api):
    claim = start()
    end(claim)
    retry_job(claim.job_id, by="owner")
    stream = chunks(follow(api, claim.job_id, "0.0"))

    next(stream)

    assert names(next(stream)) == ["job.started", "job.completed", "job.requeued"]
    Job.objects.filter(pk=claim.job_id).update(state="cancelled")
    Event.objects.create(job_id=claim.job_id, kind="job.cancelled", at=timezone.now(), payload="{}")
    assert names(next(stream)) == ["job.cancelled"]
    assert names(next(stream)) == ["end"]


def test_a_run_given_back_does_not_end_the_stream(api: Api):
    claim = start()
    stream = chunks(follow(api, claim.job_id))
    next(stream)

    end_many([given_back(claim, at=timezone.now(), reason="the worker stops")])

    assert names(next(stream)) == ["job.requeued"]
    delete_job(claim.job_id)


def test_a_removed_job_ends_the_stream(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(following, "KEEP_ALIVE_SECONDS", 0.05)
    job = waiting()
    answer = follow(api, job.pk)
    stream = chunks(answer)
    next(stream)

    delete_job(job.pk)

    last = next(chunk for chunk in stream if chunk)
    assert last[0].name == "end"
    assert last[0].content == {"id": str(job.pk), "state": None}


def test_a_silent_job_sends_comments(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(following, "KEEP_ALIVE_SECONDS", 0.05)
    answer = follow(api, active().pk)
    stream = iter(answer)
    next(stream)

    assert next(stream) == next(stream) == b": keep-alive\n\n"
    answer.close()


def test_no_connection_is_open_between_two_messages(api: Api):
    claim = start()
    answer = follow(api, claim.job_id)
    stream = chunks(answer)

    next(stream)
    assert connection.connection is None
    say(claim, "a line")
    next(stream)

    assert connection.connection is None
    answer.close()


@pytest.mark.parametrize("wrong", ["1", "1.x", "-1.0", "1.2.3", "1.", "1.2 ", "9" * 19 + ".0", "a" * 500])
def test_an_id_that_is_none_is_refused(api: Api, wrong: str):
    answer = api.get(f"/jobs/{active().pk}/events", Last_Event_ID=wrong)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["details"][0]["path"] == ["Last-Event-ID"]


def test_what_there_is_not_and_who_may_not(api: Api):
    job = active()

    assert api.get("/jobs/999/events").status_code == 404
    assert api.get("/jobs/x/events").status_code == 404
    assert api.get(f"/jobs/{job.pk}/events", Authorization="").status_code == 401
    assert api.request("HEAD", f"/jobs/{job.pk}/events").status_code == 405


def test_the_stream_too_many_is_asked_to_come_back(api: Api, monkeypatch: pytest.MonkeyPatch):
    # One of its own: in the process's, a stream of another test may not have been closed yet.
    small = Watcher(most_waiters=1)
    small.add_source(EVENTS, Event)
    small.add_source(LOG, LogLine)
    monkeypatch.setattr(following, "watcher", small)
    job = active()
    first = follow(api, job.pk)

    refused = api.get(f"/jobs/{job.pk}/events")

    assert refused.status_code == 503
    assert int(refused["Retry-After"]) > 0
    first.close()  # never read from, as when the client goes away at once
    follow(api, job.pk).close()
    small.stop()


def test_a_stop_ends_streams_without_saying_that_the_job_has_ended(monkeypatch: pytest.MonkeyPatch):
    watching = Watcher()
    watching.add_source(EVENTS, Event)
    watching.add_source(LOG, LogLine)
    monkeypatch.setattr(following, "watcher", watching)
    stream = iter(JobStream(active().pk, None))
    next(stream)

    watching.stop()

    assert list(stream) == []
