"""What the panels show of real rows."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from jobs.models import Job, JobHour
from pirunner.dashboard import (
    counters,
    dead_letters,
    failures,
    machine,
    outage,
    processes,
    running,
    throughput,
    upcoming,
)
from pirunner.dashboard.look import Look
from schedules.outage import Outage, report
from tests.jobs.making import active, delayed, ended, waiting
from tests.pirunner.dashboard.conftest import REASON
from tests.schedules.making import cron, every, make

pytestmark = pytest.mark.django_db


def hour(back: int, state: str, ended_jobs: int) -> None:
    began = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=back)
    JobHour.objects.create(hour=began, job_type="slow", state=state, ended=ended_jobs, seconds=1.0, buckets=[0] * 12)


@pytest.mark.usefixtures("life")
def test_counters_tell_what_is_open_and_what_ended_today(look: Look) -> None:
    shown = counters.show(look)

    assert (shown["states"]["active"], shown["states"]["waiting"], shown["states"]["delayed"]) == (1, 1, 1)
    assert (shown["states"]["failed"], shown["day"]["failed"], shown["day"]["completed"]) == (3, 3, 0)
    assert shown["dead"] == 1
    assert shown["oldest"]


def test_running_jobs_are_told_from_the_longest_on(look: Look) -> None:
    now = timezone.now()
    late = active(started_at=now - timedelta(seconds=5))
    early = active(started_at=now - timedelta(hours=1))

    shown = running.show(look)

    assert [job.pk for job in shown["jobs"]] == [early.pk, late.pk]
    assert shown["more"] == 0


@pytest.mark.usefixtures("life")
def test_failures_of_one_kind_are_told_once_with_their_reason(look: Look) -> None:
    other = ended("failed", error="Something else.", error_class="Other")

    first, second = failures.show(look)["failures"]

    assert (first.job.pk, first.count) == (other.pk, 1)
    assert (second.job.error, second.count) == (REASON, 3)


def test_what_comes_next_is_in_order_and_in_its_zone(look: Look) -> None:
    now = timezone.now()
    make(cron("0 9 * * *", zone=ZoneInfo("Asia/Kolkata")), name="tide tables")
    soon = delayed(due_at=now + timedelta(seconds=30))
    again = delayed(due_at=now + timedelta(seconds=20), attempts_made=1)

    first, second, third = upcoming.show(look)["upcoming"]

    assert [(entry.kind, entry.key) for entry in (first, second)] == [
        ("retry", f"retry-{again.pk}"),
        ("job", f"job-{soon.pk}"),
    ]
    assert (third.title, third.zone, third.local[-5:]) == ("tide tables", "Asia/Kolkata", "09:00")


@pytest.mark.parametrize(("seconds", "bands", "marks"), [(3600 * 6, 0, 4), (60, 1, 0)])
def test_the_strip_marks_single_fires_and_bands(look: Look, seconds: int, bands: int, marks: int) -> None:
    make(every(seconds, first_at=look.now + timedelta(seconds=1)))

    shown = upcoming.show(look)["marks"]

    assert sum(1 for mark in shown if mark.width) == bands
    assert sum(1 for mark in shown if not mark.width) == marks
    assert all(0 <= mark.start + mark.width <= 100 for mark in shown)


def test_throughput_adds_up_by_day_and_week(look: Look) -> None:
    hour(0, "completed", 5)
    hour(2, "failed", 2)
    hour(50, "completed", 7)
    hour(24 * 9, "completed", 1000)

    (_, _, day, _), (_, _, week, _) = throughput.show(look)["charts"]

    assert (day.completed, day.failed) == (5, 2)
    assert (week.completed, week.failed) == (12, 2)


@pytest.mark.usefixtures("life")
def test_callbacks_that_nobody_took_are_told(look: Look) -> None:
    shown = dead_letters.show(look)

    assert [letter.last_status for letter in shown["letters"]] == [502]
    assert [host.host for host in shown["hosts"]] == ["hooks.example"]


def test_a_missing_process_is_told_of_and_a_silent_broker_says_nothing_of_them() -> None:
    at = timezone.now().timestamp()

    there = list(processes.processes_of({"worker": {"w@pi": at}, "clock": {"pi:1": at}}, relay=True))
    unknown = list(processes.processes_of(None, relay=False))

    assert [(process.role, process.state) for process in there] == [
        ("Worker", "ok"),
        ("Callbacks", "down"),
        ("Clock", "ok"),
        ("Relay", "silent"),
    ]
    assert {process.state for process in unknown} == {"unknown"}


def test_the_last_outage_is_told(look: Look, owner: Any) -> None:
    assert outage.show(look) == {"outage": None, "days": owner.EVENT_RETENTION_DAYS}
    until = timezone.now()
    report(Outage(since=until - timedelta(minutes=39), until=until, late=(1, 2)))

    told = outage.show(look)["outage"]

    assert (told["took"], told["taken_back"], told["late"]) == ("39 min", 0, 2)
    assert abs(told["until"] - until) < timedelta(seconds=1)


def test_the_machine_tells_of_disk_and_memory(look: Look) -> None:
    shown = machine.show(look)

    assert [name for name, *_ in shown["spaces"]] == ["Disk", "Memory"]
    assert isinstance(shown["booted_at"], datetime)


def test_much_that_runs_is_counted(look: Look) -> None:
    for _ in range(running.MOST + 3):
        active()
    waiting()

    assert running.show(look)["more"] == 3
    assert Job.objects.active().count() == running.MOST + 3
