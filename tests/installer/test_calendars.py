"""Calendar lines: what systemd makes of them is what pirunner's own clock fires, but for the nights of a DST change."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from installer.calendars import lines_of, objections_to
from installer.schema import Interval, Manifest
from installer.units import timer_text
from schedules.recurrence import Every, between
from tests.installer.analyze import needs_systemd, systemd_fires
from tests.installer.host import NOW, schedule

SECOND = timedelta(seconds=1)


def lines(manifest: Manifest, now: datetime = NOW) -> tuple[str, ...]:
    return lines_of(manifest, now).texts


@needs_systemd
@pytest.mark.parametrize(
    ("seconds", "days"),
    [(15, 0.01), (90, 0.2), (128, 0.5), (864, 3), (3600, 5), (25_200, 30), (18_000, 6), (86_400, 30), (1_209_600, 100)],
)
def test_an_interval_rings_at_its_anchor_and_every_period_after_it(seconds: int, days: float) -> None:
    anchor = datetime(2026, 5, 5, 11, 59, 17, 250_000, tzinfo=UTC)
    manifest = schedule(every_seconds=seconds, first_at=anchor)
    after = NOW
    until = after + timedelta(days=days)
    due = between(Every(seconds, anchor), after - SECOND, until, 100_000)

    rung = sorted(systemd_fires(lines(manifest), after, until, len(due) + 2))

    # Never before it is due, and less than a second after.
    late = {due_at: ring for ring in rung for due_at in due if timedelta(0) <= ring - due_at < SECOND}
    assert len(late) == len(rung)
    assert len(rung) in {len(due), len(due) - 1}


def test_a_period_that_fits_no_week_is_listed_and_renewed_by_blocks() -> None:
    anchor = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)
    manifest = schedule(every_seconds=18_000, first_at=anchor)  # five hours
    first = lines_of(manifest, anchor)

    assert first.texts[0] == "2026-05-05 12:00:00 UTC"
    assert first.until is not None
    assert lines_of(manifest, first.until - SECOND) == first
    later = lines_of(manifest, first.until)
    assert later.texts[0] == f"{first.until:%Y-%m-%d %H:%M:%S} UTC"
    assert set(later.texts) & set(first.texts)
    assert len(later.texts) == len(first.texts) == 2 * (7 * 86_400 // 18_000)


def test_a_list_ends_with_its_schedule() -> None:
    manifest = schedule(every_seconds=172_800, first_at=NOW, end_at=NOW + timedelta(days=5))

    assert lines_of(manifest, NOW) == (
        ("2026-05-05 12:00:00 UTC", "2026-05-07 12:00:00 UTC", "2026-05-09 12:00:00 UTC"),
        None,
    )
    assert lines(manifest, NOW + timedelta(days=400)) == ()


def test_a_single_time_is_rounded_up_to_a_whole_second() -> None:
    at = datetime(2026, 3, 10, 8, 0, 0, 1, tzinfo=UTC).astimezone(ZoneInfo("Asia/Kolkata"))
    assert lines(schedule(once=True, first_at=at)) == ("2026-03-10 08:00:01 UTC",)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 9 * * 1-5", ["Mon,Tue,Wed,Thu,Fri *-*-* 09:00:00 Europe/Berlin"]),
        ("* * * * *", ["*-*-* *:*:00 Europe/Berlin"]),
        ("0 0 1,15 * MON", ["*-*-01,15 00:00:00 Europe/Berlin", "Mon *-*-* 00:00:00 Europe/Berlin"]),
        ("0 0 */10 2 MON", ["Mon *-02-01,11,21,31 00:00:00 Europe/Berlin"]),
    ],
)
def test_the_lines_of_a_cron(cron: str, expected: list[str]) -> None:
    assert list(lines(schedule(cron))) == expected


def test_every_period_that_is_accepted_makes_a_timer_and_every_other_has_neighbours() -> None:
    for seconds in [*range(1, 2000), 3601, 7200, 10_000, 86_400, 100_000, 604_800, 2_592_000]:
        interval = Interval(seconds=seconds, anchor=NOW)
        objections = objections_to(interval)
        if objections:
            lower, higher = map(int, re.findall(r"Take (\d+) or (\d+)", objections[0].message)[0])
            assert lower < seconds < higher
            assert not objections_to(Interval(seconds=lower, anchor=NOW))
            assert not objections_to(Interval(seconds=higher, anchor=NOW))
        else:
            manifest = schedule(every_seconds=seconds, first_at=NOW)
            assert len(timer_text(manifest.id, lines(manifest), "0" * 32)) < 64 * 1024
