"""The calendar strip: which squares, with which marks, in which groups."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from schedules.admin.strip import LATEST, Cell, cells_of, groups_of, short_count, strip_of
from schedules.models import Occurrence
from tests.schedules.making import DAY, HOUR, NOON, cron, make, occurrence

PRAGUE = ZoneInfo("Europe/Prague")


def due(**fields: Any) -> Occurrence:
    return Occurrence(**{"due_at": NOON, "until_due_at": NOON, "outcome": "fired", "job_id": 7, **fields})


@pytest.mark.parametrize(
    ("fields", "state", "look", "mark", "told"),
    [
        ({}, "completed", "done", "✓", "fired; its job completed"),
        ({}, "failed", "failed", "✕", "fired; its job failed"),
        ({}, "cancelled", "cancelled", "⊘", "fired; its job was cancelled"),
        ({}, "delayed", "open", "…", "fired; its job has not ended"),
        ({}, None, "fired", "•", "Tue 5 May 2026, 14:00: fired"),
        ({"outcome": "caught_up", "reason": "missed"}, "completed", "done", "✓", "caught up: pirunner was not running"),
        ({"outcome": "skipped", "reason": "overlap", "job_id": None}, None, "skipped", "-", "an earlier job of it"),
        (
            {"outcome": "skipped", "reason": "paused", "job_id": None, "count": 12, "until_due_at": NOON + DAY},
            None,
            "skipped",
            "\N{MULTIPLICATION SIGN}12",
            "12 times from Tue 5 May 2026, 14:00 to Wed 6 May 2026, 14:00: skipped: the schedule was paused",
        ),
    ],
)
def test_a_square_tells_what_became_of_it(
    fields: dict[str, Any], state: str | None, look: str, mark: str, told: str
) -> None:
    (cell,) = cells_of([due(**fields)], {7: state} if state else {}, [], PRAGUE)

    assert (cell.look, cell.mark) == (look, mark)
    assert told in cell.told
    assert cell.late == (fields.get("outcome") == "caught_up")
    assert cell.job_id == (7 if state else None)


def test_squares_are_oldest_first_and_what_is_to_come_is_hollow() -> None:
    cells = cells_of([due(due_at=NOON), due(due_at=NOON - HOUR)], {}, [NOON + HOUR], PRAGUE)

    assert [cell.due_at - NOON for cell in cells] == [-HOUR, timedelta(0), HOUR]
    assert [cell.look for cell in cells] == ["fired", "fired", "next"]


@pytest.mark.parametrize(
    ("step", "number", "labels"),
    [
        (HOUR, 12, ["Tue 5 May", "Wed 6 May"]),
        (DAY, 20, [f"{(NOON + day * DAY):%a %-d %b}" for day in range(20)]),
        (DAY, 40, ["May 2026", "Jun 2026"]),
    ],
)
def test_squares_are_grouped_by_day_or_where_there_are_many_by_month(
    step: timedelta, number: int, labels: list[str]
) -> None:
    cells = [Cell(due_at=NOON + count * step, look="fired", told="") for count in range(number)]

    groups = groups_of(cells, PRAGUE)

    assert [group.label for group in groups] == labels
    assert sum(len(group.cells) for group in groups) == number


@pytest.mark.parametrize(
    ("number", "short"), [(2, "2"), (999, "999"), (1000, "1k"), (86_400, "86k"), (2_600_000, "2M"), (10**10, "10G")]
)
def test_a_count_fits_its_square(number: int, short: str) -> None:
    assert short_count(number) == short


@pytest.mark.usefixtures("committed_db")
def test_a_strip_costs_a_few_queries_and_shows_the_latest(django_assert_num_queries: Any) -> None:
    schedule = make(cron("0 12 * * *"))
    now = timezone.now()
    for count in range(LATEST + 5):
        occurrence(schedule, now - count * HOUR, job_id=count)

    with django_assert_num_queries(2):
        strip = strip_of(schedule, now)

    cells = [cell for group in strip.groups for cell in group.cells]
    assert (len(cells), cells[LATEST - 1].due_at, cells[LATEST].look) == (LATEST + 5, now, "next")
    assert [look for look, _, _ in strip.looks] == ["fired", "next"]


@pytest.mark.usefixtures("committed_db")
def test_nothing_is_to_come_of_what_is_paused() -> None:
    schedule = make(cron("0 12 * * *"))
    schedule.enabled = False

    assert not strip_of(schedule, timezone.now()).groups
