"""Retention: what schedules did is kept for some time; what belongs to deleted ones goes little by little."""

from datetime import timedelta
from typing import Any

import pytest

from schedules import retention
from schedules.models import AuditEntry, Occurrence, Schedule
from schedules.retention import prune_deleted, prune_occurrences
from schedules.services import delete_schedule
from tests.schedules.making import DAY, NOON, SECOND, every, make, occurrence

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture(autouse=True)
def thirty_days(owner: Any) -> None:
    owner.OCCURRENCE_RETENTION_DAYS = 30


def test_rows_are_kept_so_many_days_after_they_were_written() -> None:
    schedule = make(every(3600))
    occurrence(schedule, NOON - 300 * DAY, recorded_at=NOON - 30 * DAY)
    occurrence(schedule, NOON - 31 * DAY, recorded_at=NOON - 30 * DAY - SECOND)

    assert prune_occurrences(NOON) == 1

    assert Occurrence.objects.get().due_at == NOON - 300 * DAY


def test_they_go_a_batch_at_a_time_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    schedule = make(every(3600))
    for day in range(5):
        occurrence(schedule, NOON - day * DAY, recorded_at=NOON - (40 + day) * DAY)

    assert [prune_occurrences(NOON) for _ in range(4)] == [2, 2, 1, 0]


def test_a_deleted_schedule_goes_with_its_rows_little_by_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    deleted, other = make(every(3600)), make(every(3600))
    for number in range(3):
        occurrence(deleted, NOON + number * timedelta(hours=1))
    occurrence(other, NOON)
    delete_schedule(deleted.pk, by="ann")

    assert prune_deleted(NOON) == 3
    assert Schedule.objects.filter(pk=deleted.pk).exists()

    while prune_deleted(NOON):
        pass

    assert list(Schedule.objects.all()) == [other]
    assert Occurrence.objects.get().schedule_id == other.pk
    assert AuditEntry.objects.filter(schedule_id=deleted.public_id).count() == 2


def test_without_deleted_ones_there_is_nothing_to_do() -> None:
    make(every(3600))

    assert prune_deleted(NOON) == 0
