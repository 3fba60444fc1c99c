"""The rollup counts each end exactly once, in the right hour and bucket, whatever happens to who counts."""

from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext

from jobs import rollup
from jobs.endings import attempt_failed, completed, worker_lost
from jobs.errors import DoNotRetry, JobFailed
from jobs.lifecycle import end_many
from jobs.models import Job, JobHour, RollupCursor
from jobs.rollup import BATCH, BOUNDS, KEPT, bucket_of, hour_of, prune_hours, roll_up
from jobs.rollup_selectors import AllTimeFigures, RunFigures, all_time, ends_since, runs
from jobs.runs import Claim
from jobs.steering import cancel_job, retry_job
from tests.jobs.making import NOON, PING, start, waiting
from tests.parts import at_once
from webhooks.models import Event

pytestmark = pytest.mark.usefixtures("committed_db")


def end(claim: Claim, seconds: float = 0.25) -> datetime:
    """Complete a run after so many seconds; return when."""
    at = claim.started_at + timedelta(seconds=seconds)
    assert end_many([completed(claim, {}, at=at)])
    return at


def hours() -> list[JobHour]:
    """Return the figures by hour, oldest first."""
    return list(JobHour.objects.filter(hour__isnull=False).order_by("hour", "job_type", "state"))


def counted() -> dict[tuple[str, str], int]:
    """Return how many ends there were ever by type and state; the hours must agree."""
    ever = {(each.job_type, each.state): each.ended for each in all_time()}
    by_hour: dict[tuple[str, str], int] = {}
    for each in hours():
        by_hour[each.job_type, each.state] = by_hour.get((each.job_type, each.state), 0) + each.ended
    assert by_hour == ever
    return ever


def known(state: str) -> tuple[int, float, int]:
    """Return how many ended so, their seconds, and how many durations are known."""
    (one,) = [each for each in all_time() if each.state == state]
    return one.ended, round(one.seconds, 3), sum(one.buckets)


def test_ends_are_counted_by_hour_and_for_ever_with_their_durations():
    at = end(start(), 0.25)
    end(start(PING), 0.0)

    assert roll_up(NOON) > 0

    (row,) = [each for each in hours() if each.job_type == "slow"]
    assert (row.hour, row.state, row.ended, row.seconds) == (hour_of(at), "completed", 1, 0.25)
    slow = tuple(int(place == bucket_of(0.25)) for place in range(len(BOUNDS) + 1))
    assert AllTimeFigures(job_type="slow", state="completed", ended=1, seconds=0.25, buckets=slow) in all_time()
    assert counted() == {("slow", "completed"): 1, ("ping", "completed"): 1}


def test_what_is_counted_is_not_counted_again_and_nothing_is_written():
    end(start())
    assert roll_up(NOON) == 1

    with CaptureQueriesContext(connection) as queries:
        assert roll_up(NOON) == 0

    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []
    assert counted() == {("slow", "completed"): 1}


def test_two_that_count_at_the_same_instant_count_once():
    for _ in range(3):
        end(start())

    for _ in range(2):  # without a cursor, and with one
        outcomes = at_once([partial(roll_up, NOON)] * 4)
        assert sorted(map(str, outcomes)) == ["0", "0", "0", "3"]
        assert RollupCursor.objects.get().seq == Event.objects.latest("seq").seq
        for _ in range(3):
            end(start())

    assert counted() == {("slow", "completed"): 6}


def test_who_comes_with_an_old_cursor_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    end(start())
    read = rollup._next_events

    def overtaken(cursor: int) -> Any:
        batch = read(cursor)
        monkeypatch.undo()
        assert roll_up(NOON) == 1
        return batch

    monkeypatch.setattr(rollup, "_next_events", overtaken)

    assert roll_up(NOON) == 0
    assert counted() == {("slow", "completed"): 1}


def test_a_crash_between_the_cursor_and_the_figures_leaves_neither(monkeypatch: pytest.MonkeyPatch):
    end(start())

    def crash(_: Any) -> None:
        raise IntegrityError("the power went")

    monkeypatch.setattr(rollup, "_add_runs", crash)
    with pytest.raises(IntegrityError):
        roll_up(NOON)
    assert (all_time(), RollupCursor.objects.count()) == ([], 0)
    monkeypatch.undo()

    assert roll_up(NOON) == 1
    assert counted() == {("slow", "completed"): 1}


def test_batches_follow_each_other_to_the_last_event(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rollup, "BATCH", 3)
    for _ in range(4):  # a heavy job has two events: its start and its end
        end(start())

    done = [roll_up(NOON) for _ in range(4)]

    assert (sum(done), done[-1]) == (4, 0)
    assert counted() == {("slow", "completed"): 4}


def test_events_that_tell_nothing_are_left_behind_when_they_fill_a_batch(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rollup, "BATCH", 3)
    Event.objects.bulk_create([Event(job_id=1, kind="job.progress", at=NOON, payload="{}") for _ in range(4)])
    end(start())

    assert [roll_up(NOON) for _ in range(3)] == [0, 1, 0]


def test_a_failed_job_that_is_retried_ends_twice():
    claim = start()
    at = claim.started_at + timedelta(seconds=2)
    end_many([attempt_failed(claim, DoNotRetry("never"), at=at, backoff_seconds=5, jitter=0)])
    assert roll_up(NOON) == 1
    assert known("failed") == (1, 2.0, 1)

    retry_job(claim.job_id, by="ana")
    cancel_job(claim.job_id, by="ana")
    assert roll_up(NOON) == 1

    assert counted() == {("slow", "failed"): 1, ("slow", "cancelled"): 1}
    # It was cancelled while it waited: the run that it had before is not counted as its own.
    assert known("cancelled") == (1, 0.0, 0)


def test_an_end_that_is_undone_before_it_is_counted_has_no_duration():
    claim = start()
    end_many([attempt_failed(claim, DoNotRetry("never"), at=claim.started_at, backoff_seconds=5, jitter=0)])
    retry_job(claim.job_id, by="ana")

    roll_up(NOON)

    assert known("failed") == (1, 0.0, 0)


def test_runs_that_are_repeated_are_counted_apart():
    claim = start()
    end_many([attempt_failed(claim, JobFailed("once more"), at=claim.started_at, backoff_seconds=5, jitter=0)])
    for _ in range(2):
        lost = start()
        end_many([worker_lost(lost, at=lost.started_at, reason="worker lost: it stopped renewing its lease")])

    assert (roll_up(NOON), roll_up(NOON)) == (3, 0)

    assert all_time() == []
    assert runs() == [
        RunFigures(job_type="slow", what="retried", count=1),
        RunFigures(job_type="slow", what="taken_back", count=2),
    ]


@pytest.mark.parametrize(
    ("moment", "hour"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC)),
        (datetime(2026, 3, 1, 12, 59, 59, 999_999, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC)),
        (
            datetime(2026, 3, 1, 0, 10, tzinfo=timezone(timedelta(hours=5, minutes=30))),
            datetime(2026, 2, 28, 18, tzinfo=UTC),
        ),
    ],
)
def test_an_hour_begins_in_utc(moment: datetime, hour: datetime):
    assert hour_of(moment) == hour


@pytest.fixture
def around_noon() -> None:
    """Two jobs that ended a microsecond apart, before and at noon."""
    for at in (NOON - timedelta(microseconds=1), NOON):
        claim = start()
        Job.objects.filter(pk=claim.job_id).update(started_at=at)
        assert end_many([completed(claim, {}, at=at)])


@pytest.mark.usefixtures("around_noon")
def test_an_end_is_in_the_hour_in_which_it_was():
    roll_up(NOON)

    before = NOON - timedelta(hours=1)
    assert ends_since(before) == [(before, "completed", 1), (NOON, "completed", 1)]
    assert ends_since(before + timedelta(minutes=30)) == [(NOON, "completed", 1)]


@pytest.mark.usefixtures("around_noon")
def test_old_hours_go_and_the_figures_of_all_time_stay():
    roll_up(NOON)

    assert prune_hours(NOON + KEPT - timedelta(seconds=1)) == 0
    assert prune_hours(NOON + KEPT) == 1
    assert [each.hour for each in hours()] == [NOON]
    assert JobHour.objects.get(hour__isnull=True).ended == 2


@pytest.mark.parametrize(
    ("seconds", "place"),
    [
        (0.0, 0),
        (0.01, 0),
        (0.010001, 1),
        (0.5, 3),
        (1.0, 4),
        (1.5, 5),
        (60.0, 7),
        (3600.0, 10),
        (3600.1, 11),
        (1e9, 11),
    ],
)
def test_a_duration_belongs_to_the_first_bucket_that_holds_it(seconds: float, place: int):
    assert bucket_of(seconds) == place


def test_one_look_at_a_full_batch_asks_little(django_assert_max_num_queries: Any):
    for _ in range(5):
        end_many([completed(start(PING), {}, at=NOON) for _ in range(10)])
        cancel_job(waiting().pk, by="ana")
    assert BATCH > 60

    with django_assert_max_num_queries(20):
        assert roll_up(NOON) == 55
