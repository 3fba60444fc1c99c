"""Calendar lines: what systemd makes of them is what pirunner's own clock fires, but for the nights of a DST change."""

import random
import re
import shutil
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from installer.calendars import lines_of, objections_to
from installer.schema import Interval, Manifest
from installer.units import timer_text
from schedules.cron import parse_cron
from schedules.recurrence import CronIn, Every, between
from schedules.shifts import first_shift
from tests.installer.host import NOW, schedule

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca"]
YEAR_CRONS = ["30 2 * * *", "0 9 * * 1-5", "15 */2 * * *", "0 0 13 * 5", "*/20 1-3 * * 0", "59 23 31 * *"]
NIGHT = timedelta(days=1)  # in some zones systemd leaves out what is left of the day
SECOND = timedelta(seconds=1)
_ELAPSE = re.compile(r"(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC")


def lines(manifest: Manifest, now: datetime = NOW) -> tuple[str, ...]:
    return lines_of(manifest, now).texts


def systemd_fires(texts: Iterable[str], after: datetime, until: datetime, count: int) -> set[datetime]:
    """When systemd would ring, after one instant and to another, in the first so many of each line."""
    found: set[datetime] = set()
    for text in texts:
        base = f"--base-time={after:%Y-%m-%d %H:%M:%S} UTC"
        command = ["systemd-analyze", "calendar", base, f"--iterations={count}", text]
        said = subprocess.run(
            command, capture_output=True, text=True, check=True, env={"TZ": "UTC", "PATH": "/usr/bin"}
        )
        times = [datetime.fromisoformat(time).replace(tzinfo=UTC) for time in _ELAPSE.findall(said.stdout)]
        assert len(times) < count or times[-1] >= until, "not enough were asked for"
        found.update(times)
    return {fire for fire in found if after < fire <= until}


def near_a_shift(zone: ZoneInfo, fire: datetime) -> bool:
    return first_shift(zone, fire - NIGHT, fire + NIGHT) is not None


@needs_systemd
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", YEAR_CRONS)
def test_a_year_of_rings_is_a_subset_of_what_is_due(cron: str, zone: str) -> None:
    after, until = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    due = set(between(CronIn(parse_cron(cron), ZoneInfo(zone)), after, until, 100_000))
    rung = systemd_fires(lines(schedule(cron, zone=zone)), after, until, len(due) + 2)

    assert rung <= due
    assert all(near_a_shift(ZoneInfo(zone), fire) for fire in due - rung)
    assert len(due - rung) <= 30


@needs_systemd
def test_random_crons_ring_when_they_are_due() -> None:
    chance = random.Random(6)
    after, until = datetime(2027, 4, 1, tzinfo=UTC), datetime(2028, 4, 1, tzinfo=UTC)
    for _ in range(120):
        cron = " ".join(a_field(chance, *bounds) for bounds in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7)))
        due = between(CronIn(parse_cron(cron), ZoneInfo("UTC")), after, until, 50)
        last = due[-1] if due else until
        assert sorted(systemd_fires(lines(schedule(cron, zone="UTC")), after, last, 51)) == due, cron


def a_field(chance: random.Random, low: int, high: int) -> str:
    first, last = sorted(chance.sample(range(low, high + 1), 2))
    forms = [
        "*",
        "*",
        f"*/{chance.randint(1, high)}",
        str(first),
        f"{first}-{last}",
        f"{first}-{last}/2",
        f"{first},{last}",
    ]
    return chance.choice(forms)


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
