"""``manage.py schedules``."""

import pytest

from jobs.models import Job
from schedules.models import AuditEntry, Schedule, Tombstone
from tests.pirunner.command import run
from tests.schedules.making import NOON, cron, every, make, occurrence

pytestmark = pytest.mark.usefixtures("committed_db")


def test_schedules_are_listed():
    make(cron("0 9 * * *"), name="mornings")
    make(every(60), name="minutes")

    head, *lines = run("schedules").lines

    assert head.split() == ["name", "type", "state", "next", "in", "last", "when"]
    assert [line.split()[:3] for line in lines] == [["mornings", "ping", "scheduled"], ["minutes", "ping", "scheduled"]]
    assert [each["name"] for each in run("schedules", "list", "--json").json()["schedules"]] == ["mornings", "minutes"]


def test_no_schedule_says_how_to_make_one():
    assert "manage.py submit" in run("schedules").out


def test_one_is_shown_by_name_and_by_id():
    schedule = make(cron("0 9 * * *"), name="mornings", input={"n": 1})

    by_name, by_id = run("schedules", "show", "mornings"), run("schedules", "show", schedule.public_id)

    assert by_name.out == by_id.out
    assert "At 09:00" in by_name.out
    assert "created by agent" in by_name.out
    assert by_name.out.count("T09:00:00+00:00") == 5
    assert run("schedules", "show", "mornings", "--json").json()["scheduleName"] == "mornings"


def test_the_next_times_are_previewed():
    make(cron("0 9 * * *"), name="mornings")

    assert len(run("schedules", "preview", "mornings", "--count", "4").lines) == 5
    assert len(run("schedules", "preview", "--every", "2h", "--json").json()["fires"]) == 5
    assert run("schedules", "preview").code == 2
    assert "schedule.cron" in run("schedules", "preview", "--cron", "x").err


def test_one_is_paused_and_resumed_by_a_person():
    schedule = make(cron("0 9 * * *"), name="mornings")

    assert run("schedules", "pause", "mornings").out == "mornings is paused.\n"
    schedule.refresh_from_db()
    assert not schedule.enabled
    assert "is due again" in run("schedules", "resume", "mornings").out
    schedule.refresh_from_db()
    assert schedule.enabled
    assert AuditEntry.objects.filter(action="paused", by__endswith="(manage.py)").exists()


def test_one_is_run_now():
    make(cron("0 9 * * *"), name="mornings")

    ran = run("schedules", "run", "mornings", "--json")

    assert Job.objects.get().pk == int(ran.json()["jobId"])
    assert "has not ended" in run("schedules", "run", "mornings").err


def test_one_is_deleted_for_good():
    make(cron("0 9 * * *"), name="mornings")

    assert run("schedules", "delete", "mornings").code == 0

    assert not Schedule.objects.kept().exists()
    assert Tombstone.objects.filter(name="mornings").exists()


def test_occurrences_are_listed():
    schedule = make(cron("0 9 * * *"), name="mornings")
    assert "has not been due yet" in run("schedules", "occurrences", "mornings").out
    occurrence(schedule, NOON, outcome="skipped", reason="missed", count=3)

    _head, line = run("schedules", "occurrences", "mornings").lines

    assert line.split()[-4:] == ["3", "skipped", "missed", "-"]
    assert run("schedules", "occurrences", "mornings", "--json").json()["occurrences"][0]["count"] == 3


@pytest.mark.parametrize("action", ["show", "pause", "resume", "run", "delete", "occurrences", "preview"])
def test_an_unknown_one_is_a_sentence(action: str):
    ran = run("schedules", action, "nowhere")

    assert (ran.code, ran.err) == (1, "There is no schedule 'nowhere'.")
