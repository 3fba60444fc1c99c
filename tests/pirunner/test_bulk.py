"""Rows written in bulk are what Django would have written."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django_celery_results.models import TaskResult

from jobs.models import Job
from pirunner.bulk import insert_many, insert_with_ids, unsynced
from tests.jobs.making import NOON, waiting
from webhooks.models import Event

ON_CONFLICT = "ON CONFLICT (task_id) DO UPDATE SET status = excluded.status"


def event(number: int = 1, **fields: Any) -> Event:
    return Event(**{"job_id": number, "kind": "job.completed", "at": NOON, "payload": "{}", **fields})


def run(task_id: str, status: str = "STARTED") -> TaskResult:
    return TaskResult(task_id=task_id, status=status, content_type="application/json", content_encoding="utf-8")


@pytest.mark.django_db
def test_rows_are_inserted_in_order() -> None:
    insert_many([event(3), event(1), event(2)])

    assert list(Event.objects.order_by("seq").values_list("job_id", flat=True)) == [3, 1, 2]


@pytest.mark.django_db
def test_rows_get_their_ids() -> None:
    events = [event(1), event(2)]

    insert_with_ids(events)

    assert [Event.objects.get(job_id=number).pk for number in (1, 2)] == [row.pk for row in events]


@pytest.mark.django_db
@pytest.mark.parametrize("insert", [insert_many, insert_with_ids])
def test_no_rows_are_no_work(insert: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        insert([])


@pytest.mark.django_db
def test_a_row_of_every_kind_of_field_is_the_same_as_djangos() -> None:
    by_django = waiting(
        input={"a": "\x00\ud800⏰", "n": 2**70},
        metadata=None,
        schedule={"b": [1.5, None]},
        due_at=datetime(2026, 3, 1, 17, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    )
    fields: dict[str, Any] = {**Job.objects.filter(pk=by_django.pk).values().get()}
    del fields["id"]

    row = Job(**fields)
    insert_with_ids([row])

    assert Job.objects.filter(pk=row.pk).values().get() == {**fields, "id": row.pk}
    assert Job.objects.get(pk=row.pk).due_at == datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.django_db
def test_moments_that_django_sets_by_itself_are_set() -> None:
    insert_many([run("1:1")])

    row = TaskResult.objects.get()
    assert row.date_created is not None
    assert row.date_done is not None


@pytest.mark.django_db
def test_a_conflict_can_update() -> None:
    insert_many([run("1:1")])

    insert_many([run("1:1", "SUCCESS"), run("1:2")], on_conflict=ON_CONFLICT)

    assert dict(TaskResult.objects.values_list("task_id", "status")) == {"1:1": "SUCCESS", "1:2": "STARTED"}


@pytest.mark.django_db
def test_a_conflict_is_an_error_otherwise() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_many([run("1:1"), run("1:1")])

    assert not TaskResult.objects.exists()


@pytest.mark.usefixtures("committed_db")
def test_a_failure_undoes_the_whole_transaction() -> None:
    def write() -> None:
        with transaction.atomic():
            insert_many([event()])
            insert_with_ids([Job(priority=99)])

    with pytest.raises(DatabaseError):
        write()

    assert not Event.objects.exists()


# -- how hard SQLite writes ---------------------------------------------------------------------------------------


def synchronous() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        return cursor.fetchone()[0]


NORMAL, FULL = 1, 2


@pytest.mark.usefixtures("committed_db")
def test_unsynced_writes_do_not_wait_for_the_disk_and_others_do() -> None:
    if connection.vendor != "sqlite":
        with unsynced(), transaction.atomic():
            insert_many([event()])
        assert Event.objects.exists()
        return
    assert synchronous() == FULL
    with unsynced():
        assert synchronous() == NORMAL
    assert synchronous() == FULL


@pytest.mark.usefixtures("committed_db")
def test_after_an_error_writes_wait_for_the_disk_again() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL always waits")
    with pytest.raises(KeyError), unsynced():
        raise KeyError

    assert synchronous() == FULL
