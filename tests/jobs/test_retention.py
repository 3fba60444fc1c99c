"""Retention of jobs: what goes, what stays, and that everything goes with it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django_celery_results.models import TaskResult

from jobs import leftovers, retention, tally
from jobs.artifacts import folder_of, write_artifact
from jobs.models import Artifact, Job, LogLine
from jobs.retention import count_prunable, prune_jobs
from jobs.states import FINAL_STATES, State
from tests.jobs.making import active, delayed, ended, waiting
from webhooks.models import Delivery, Event

pytestmark = pytest.mark.usefixtures("committed_db")

NOW = timezone.now()


@pytest.fixture(autouse=True)
def kept(settings: Any) -> Any:
    settings.RETENTION_COMPLETED_DAYS = 30
    settings.RETENTION_FAILED_DAYS = 90
    settings.RETENTION_CANCELLED_DAYS = 30
    settings.RETENTION_MAX_JOBS = 100_000
    return settings


def days_ago(days: float) -> Any:
    return NOW - timedelta(days=days)


def left() -> set[int]:
    """Return the jobs that are left, having made sure that the tally agrees."""
    assert tally.ended_jobs() == {state: Job.objects.filter(state=state).count() for state in FINAL_STATES}
    return set(Job.objects.values_list("pk", flat=True))


def written(job: Job) -> Path:
    return Path(write_artifact(job_id=job.pk, run=1, name="brief.md", raw=b"x", media_type="text/markdown").path)


# -- by age -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "days"), [("completed", 30), ("failed", 90), ("cancelled", 30)])
def test_each_state_has_its_own_age(state: str, days: int):
    old, young = ended(state, at=days_ago(days + 0.1)), ended(state, at=days_ago(days - 0.1))

    assert count_prunable(NOW) == 1
    assert prune_jobs(NOW) == 1
    assert left() == {young.pk}
    assert not Job.objects.filter(pk=old.pk).exists()


def test_jobs_that_have_not_ended_stay_however_old_they_are():
    long_ago = days_ago(1000)
    open_jobs = {waiting(since=long_ago).pk, active(since=long_ago).pk, delayed(due_at=NOW, since=long_ago).pk}

    assert prune_jobs(NOW) == 0
    assert left() == open_jobs


def test_a_retention_of_centuries_is_no_error(kept: Any):
    kept.RETENTION_COMPLETED_DAYS = 10**9
    job = ended(at=days_ago(1000))

    assert prune_jobs(NOW) == 0
    assert left() == {job.pk}


# -- by count -----------------------------------------------------------------------------------------------------


def test_beyond_the_largest_number_the_oldest_ends_go_whatever_their_state(kept: Any):
    kept.RETENTION_MAX_JOBS = 2
    states = ("failed", "completed", "cancelled", "completed", "failed")
    jobs = [ended(state, at=days_ago(9 - number)) for number, state in enumerate(states)]
    waits = waiting()

    assert count_prunable(NOW) == 3
    assert prune_jobs(NOW) == 3
    assert left() == {jobs[3].pk, jobs[4].pk, waits.pk}
    assert prune_jobs(NOW) == 0


def test_what_is_too_old_counts_for_what_is_too_many(kept: Any):
    kept.RETENTION_MAX_JOBS = 1
    young = ended(at=days_ago(1))
    ended(at=days_ago(100))

    assert count_prunable(NOW) == 1
    assert [prune_jobs(NOW), prune_jobs(NOW)] == [1, 0]
    assert left() == {young.pk}


# -- a little at a time -------------------------------------------------------------------------------------------


def test_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "BATCH", 3)
    for _ in range(7):
        ended(at=days_ago(100))

    assert [prune_jobs(NOW) for _ in range(4)] == [3, 3, 1, 0]


def test_jobs_with_long_logs_go_fewer_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "LINES", 4)
    for lines in (2, 2, 9, 1):
        job = ended(at=days_ago(100))
        LogLine.objects.bulk_create(LogLine(job=job, run=1, at=NOW, level="info", message="m") for _ in range(lines))

    assert [prune_jobs(NOW) for _ in range(4)] == [2, 1, 1, 0]
    assert not LogLine.objects.exists()


# -- with everything that belongs to it ---------------------------------------------------------------------------


def test_files_log_history_and_artifacts_go_with_the_job():
    job, other = ended(at=days_ago(100), run=2), ended()
    for one in (job, other):
        file = written(one)
        Artifact.objects.create(
            job=one,
            run=1,
            name="brief.md",
            media_type="text/markdown",
            size=1,
            sha256="",
            path=str(file),
            created_at=NOW,
        )
        LogLine.objects.create(job=one, run=1, at=NOW, level="info", message="m")
        for run in (1, 2):
            TaskResult.objects.create(task_id=f"{one.pk}:{run}", status="SUCCESS")
    TaskResult.objects.create(task_id=f"{job.pk}0:1", status="SUCCESS")

    prune_jobs(NOW)

    assert left() == {other.pk}
    assert list(Artifact.objects.values_list("job_id", flat=True)) == [other.pk]
    assert list(LogLine.objects.values_list("job_id", flat=True)) == [other.pk]
    assert set(TaskResult.objects.values_list("task_id", flat=True)) == {
        f"{other.pk}:1",
        f"{other.pk}:2",
        f"{job.pk}0:1",
    }
    assert not folder_of(job.pk).exists()
    assert folder_of(other.pk).exists()


def test_events_and_callbacks_outlive_their_job():
    job = ended(at=days_ago(100))
    Event.objects.create(job_id=job.pk, kind="job.completed", at=NOW, payload="{}")
    Delivery.objects.create(event_id="evt_1", job_id=job.pk, event="job.completed", url="u", body="{}", created_at=NOW)

    prune_jobs(NOW)

    assert Event.objects.count() == Delivery.objects.count() == 1


def test_the_files_are_still_there_when_the_rows_could_not_go(monkeypatch: pytest.MonkeyPatch):
    job = ended(at=days_ago(100))
    file = written(job)
    monkeypatch.setattr(tally, "record", lambda _: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        prune_jobs(NOW)

    assert file.exists()
    assert left() == {job.pk}


def test_a_job_that_is_retried_meanwhile_stays(monkeypatch: pytest.MonkeyPatch):
    job = ended(at=days_ago(100))

    def retried_meanwhile(job_ids: list[int]) -> list[int]:
        Job.objects.filter(pk=job.pk).update(state="waiting", finished_at=None)
        tally.record({State.COMPLETED: -1})
        return job_ids

    monkeypatch.setattr(retention, "_affordable", retried_meanwhile)

    assert prune_jobs(NOW) == 0
    assert left() == {job.pk}


# -- leftovers of a crash -----------------------------------------------------------------------------------------


def test_the_folder_of_a_job_that_no_longer_exists_goes():
    gone, there = ended(), ended()
    file, kept_file = written(gone), written(there)
    Job.objects.filter(pk=gone.pk).delete()
    tally.repair()

    assert leftovers.remove_among(list(file.parents[2].iterdir())) == 1
    assert not folder_of(gone.pk).exists()
    assert kept_file.exists()


def test_what_is_not_ours_is_left_alone(kept: Any):
    waiting(pk=10)
    folder = Path(kept.DATA_DIR)
    strange = ["notes", "007", "1/photo.jpg", "2/x", "3/1", "4"]
    for name in strange[:4]:
        (folder / name).mkdir(parents=True)
    (folder / "3").mkdir()
    (folder / "3" / "1").write_text("a file where a run's folder would be")
    (folder / "4").write_text("a file")
    (folder / "5").symlink_to(folder / "notes")

    assert leftovers.remove_among(list(folder.iterdir())) == 0
    assert all((folder / name).exists() for name in [*strange, "5"])


def test_in_a_new_database_no_folder_is_left_over(kept: Any):
    job = waiting()
    written(job)
    Job.objects.all().delete()

    assert leftovers.remove_among(list(Path(kept.DATA_DIR).iterdir())) == 0


def test_the_walk_sees_every_folder_a_few_at_a_time_and_begins_anew(kept: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(leftovers, "LOOKS", 2)
    for number in range(1, 6):
        (Path(kept.DATA_DIR) / str(number)).mkdir(parents=True)
    walk = leftovers.Walk()

    seen = [[path.name for path in walk.next_entries()] for _ in range(4)]

    assert [len(names) for names in seen] == [2, 2, 1, 2]
    assert {name for names in seen[:3] for name in names} == {"1", "2", "3", "4", "5"}


def test_a_folder_that_does_not_exist_yet_is_no_error():
    assert leftovers.Walk().next_entries() == []
