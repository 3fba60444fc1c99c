"""systemd's own fires beside ours: the same, and what it leaves out the clock adds, so that each comes once."""

import os
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from installer.calendars import lines_of
from schedules.cron import parse_cron
from schedules.firing import SILENCE
from schedules.plan import Row, Situation, make_plan
from schedules.recurrence import CronIn, between, fires_after
from schedules.rules import Outcome, Reason, Rules
from schedules.shifts import first_shift
from tests.installer.analyze import first_fires, needs_systemd, systemd_fires
from tests.installer.host import NOW, schedule

pytestmark = needs_systemd

AT_LENGTH = bool(os.environ.get("PIRUNNER_FIRES_AT_LENGTH"))  # a year of half hours takes 20 s for each zone
CRONS = 1000
FIRES = 50
FAR = datetime(2100, 1, 1, tzinfo=UTC)  # as far as both count
YEAR = (datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
SPRING = (datetime(2027, 3, 24, tzinfo=UTC), datetime(2027, 4, 8, tzinfo=UTC))  # Berlin 28 March, Lord Howe 4 April
AUTUMN = (datetime(2027, 9, 30, tzinfo=UTC), datetime(2027, 11, 3, tzinfo=UTC))  # 31 and 3 October
NIGHT = timedelta(days=1)  # in some zones systemd leaves out what is left of the day
BERLIN, LORD_HOWE = "Europe/Berlin", "Australia/Lord_Howe"
ZONES = [BERLIN, LORD_HOWE, "America/New_York", "Africa/Casablanca", "America/Santiago", "Asia/Kolkata"]
NIGHTLY = ["30 2 * * *", "15 0-3 * * *", "0 9 * * 1-5", "59 23 31 * *", "10 2 1,15 * 0"]


def random_crons(count: int) -> list[str]:
    chance = random.Random(1000)
    bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    return [" ".join(random_field(chance, low, high) for low, high in bounds) for _ in range(count)]


def random_field(chance: random.Random, low: int, high: int) -> str:
    first, last = sorted(chance.sample(range(low, high + 1), 2))
    step = chance.randint(1, high)
    ranges = [f"{first}-{last}", f"{first}-{last}/{step}", f"{first},{last}", f"{first}/{step}"]
    forms = ["*", f"*/{step}", str(first), *ranges]
    # As people write them: a star is the most usual.
    return "*" if chance.random() < 0.3 else chance.choice(forms)


def test_the_next_50_fires_of_1000_random_crons_are_ours() -> None:
    crons = random_crons(CRONS)
    lines = [lines_of(schedule(cron, zone="UTC"), NOW).texts for cron in crons]
    rung = iter(first_fires([text for texts in lines for text in texts], YEAR[0], FIRES + 1))

    for cron, texts in zip(crons, lines, strict=True):
        theirs = sorted({fire for fires in islice(rung, len(texts)) for fire in fires if fire <= FAR})[:FIRES]
        ours = islice(fires_after(CronIn(parse_cron(cron), ZoneInfo("UTC")), YEAR[0]), FIRES)
        assert theirs == [fire for fire in ours if fire <= FAR], cron


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", NIGHTLY)
def test_a_year_of_systemds_backend_fires_what_celerys_does(cron: str, zone: str) -> None:
    both_fire_the_same(cron, zone, YEAR)


@pytest.mark.parametrize("span", [YEAR] if AT_LENGTH else [SPRING, AUTUMN])
@pytest.mark.parametrize("zone", [BERLIN, LORD_HOWE])
def test_half_hours_of_systemds_backend_are_those_of_celerys(zone: str, span: tuple[datetime, datetime]) -> None:
    both_fire_the_same("*/30 * * * *", zone, span)


def both_fire_the_same(cron: str, zone: str, span: tuple[datetime, datetime]) -> None:
    recurrence = CronIn(parse_cron(cron), ZoneInfo(zone))
    due = between(recurrence, *span, 100_000)
    rung = systemd_fires(lines_of(schedule(cron, zone=zone), NOW).texts, *span, len(due) + 2)

    by_celery = looked_at(recurrence, span[0], due, rung=lambda _: True)
    # Timers ring when they are due; the clock looks every second, and leaves each due time to them for a while.
    by_systemd = looked_at(recurrence, span[0], [*rung, *(at + SILENCE for at in due)], rung=lambda at: at in rung)

    assert rung <= set(due)
    assert [row.due_at for row in by_celery] == due
    assert [replace(row, reason=Reason.NONE) for row in by_systemd] == by_celery
    silent = {row.due_at for row in by_systemd if row.reason is Reason.TIMER_SILENT}
    assert silent == set(due) - rung
    assert all(first_shift(ZoneInfo(zone), at - NIGHT, at + NIGHT) for at in silent)


def looked_at(
    recurrence: CronIn, covered: datetime, moments: Iterable[datetime], *, rung: Callable[[datetime], bool]
) -> list[Row]:
    """The rows of a schedule that is looked at in these moments, by its timer or by the clock."""
    rules, rows = Rules(zone=recurrence.zone), list[Row]()
    for at in sorted(moments):
        by_timer = rung(at)
        now = at if by_timer else at - SILENCE
        reason = Reason.NONE if by_timer else Reason.TIMER_SILENT
        plan = make_plan(recurrence, rules, Situation(now=now, covered_until=covered, fired_for=reason))
        covered = plan.covered_until
        rows += plan.rows
    assert all(row.outcome is Outcome.FIRED and row.count == 1 for row in rows)
    return rows
