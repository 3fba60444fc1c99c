"""From the form of a schedule to the bodies of the API: only what was changed, and what was written stays."""

from typing import Any

import pytest

from schedules.admin.forms import blank_values
from schedules.admin.payloads import (
    changes_of_form,
    field_at,
    in_units,
    local_text,
    submission_of,
    timing_of_form,
    values_of,
)
from schedules.models import Schedule

WRITTEN = {
    "cron": "0  9 * * *",
    "runAt": "2020-03-10T13:30:00+05:30",
    "misfire": "once",
    "endAt": "2090-01-01T00:00:00Z",
}


def saved(**fields: Any) -> Schedule:
    row = {
        "name": "bins",
        "job_type": "ping",
        "priority": 5,
        "timing": WRITTEN,
        "zone": "Asia/Kolkata",
        "cron": "0 9 * * *",
        "backend": "celery",
    }
    return Schedule(**{**row, **fields})


@pytest.mark.parametrize(
    ("typed", "schedule"),
    [
        ({"cron": " 0 9 * * * "}, {"cron": "0 9 * * *"}),
        ({"kind": "every", "every_number": 90, "every_unit": "minutes", "cron": "x"}, {"everySeconds": 5400}),
        ({"kind": "every", "every_number": 1.5, "every_unit": "seconds"}, {"everySeconds": 1.5}),
        ({"kind": "once", "run_at": "2090-01-01T09:00", "start_at": "x"}, {"runAt": "2090-01-01T09:00"}),
        (
            {"cron": "0 9 * * *", "start_at": "2090-01-01T09:00", "end_at": "2091-01-01T09:00"},
            {"cron": "0 9 * * *", "runAt": "2090-01-01T09:00", "endAt": "2091-01-01T09:00"},
        ),
        (
            {"cron": "* * * * *", "misfire": "skip", "overlap": "queue", "quiet_from": "22:00", "quiet_to": "07:00"},
            {
                "cron": "* * * * *",
                "misfire": "skip",
                "overlap": "queue",
                "quietHours": {"from": "22:00", "to": "07:00"},
            },
        ),
        ({"cron": "* * * * *", "jitter_seconds": 30.0}, {"cron": "* * * * *", "jitterSeconds": 30}),
    ],
)
def test_a_form_becomes_a_schedule(typed: dict[str, Any], schedule: dict[str, Any]) -> None:
    values = {**blank_values(), "zone": "Europe/Prague", **typed}

    assert timing_of_form(values) == {**schedule, "tz": "Europe/Prague"}


def test_a_form_becomes_a_submission() -> None:
    values = {**blank_values(), "job_type": "ping", "cron": "* * * * *", "zone": "UTC", "callback_url": ""}

    assert submission_of(values, {"a": 1}) == {
        "jobType": "ping",
        "input": {"a": 1},
        "priority": 5,
        "scheduleBackend": "celery",
        "schedule": {"cron": "* * * * *", "tz": "UTC"},
    }


def test_an_untouched_form_changes_nothing() -> None:
    schedule = saved()
    initial = values_of(schedule)

    assert changes_of_form(initial, initial, schedule.timing, work={}, work_changed=False) == {}


@pytest.mark.parametrize(
    ("typed", "timing"),
    [
        ({"cron": "0 10 * * *"}, {**WRITTEN, "cron": "0 10 * * *", "tz": "Asia/Kolkata"}),
        ({"misfire": "all"}, {**WRITTEN, "misfire": "all", "tz": "Asia/Kolkata"}),
        ({"end_at": ""}, {name: value for name, value in {**WRITTEN, "tz": "Asia/Kolkata"}.items() if name != "endAt"}),
        # Another zone: the clock's readings stay, the moments move.
        (
            {"zone": "UTC"},
            {**WRITTEN, "runAt": "2020-03-10T13:30", "endAt": "2090-01-01T05:30", "tz": "UTC"},
        ),
        (
            {"kind": "every", "every_number": 2, "every_unit": "days"},
            {
                "everySeconds": 172_800,
                **{name: WRITTEN[name] for name in ("runAt", "misfire", "endAt")},
                "tz": "Asia/Kolkata",
            },
        ),
    ],
)
def test_an_edit_keeps_what_was_written_of_all_else(typed: dict[str, Any], timing: dict[str, Any]) -> None:
    schedule = saved()
    initial = values_of(schedule)

    body = changes_of_form({**initial, **typed}, initial, schedule.timing, work={}, work_changed=False)

    assert body == {"schedule": timing}


def test_an_edit_sends_the_other_fields_that_were_changed() -> None:
    initial = values_of(saved(callback_events="job.started"))
    typed = {**initial, "name": "", "priority": 1, "callback_url": "https://a.example/", "callback_events": []}

    assert changes_of_form(typed, initial, WRITTEN, work={"a": 1}, work_changed=True) == {
        "name": None,
        "priority": 1,
        "callbackUrl": "https://a.example/",
        "callbackEvents": [],
        "input": {"a": 1},
    }


@pytest.mark.parametrize(
    ("seconds", "units"),
    [(None, (None, "minutes")), (5400, (90, "minutes")), (604_800, (1, "weeks")), (1.5, (1.5, "seconds"))],
)
def test_a_period_is_shown_in_its_largest_unit(seconds: float | None, units: tuple[float | None, str]) -> None:
    assert in_units(seconds) == units


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-03-10T13:30:00+05:30", "2026-03-10T09:00"),
        ("2026-03-10T09:00:05", "2026-03-10T09:00:05"),
        ("nonsense", ""),
        (None, ""),
    ],
)
def test_a_moment_is_shown_on_the_clock_of_the_zone(written: Any, shown: str) -> None:
    assert local_text(written, "Europe/Prague") == shown


@pytest.mark.parametrize(
    ("path", "kind", "field"),
    [
        (("schedule", "cron"), "cron", "cron"),
        (("schedule", "cron"), "once", "run_at"),
        (("schedule", "runAt"), "once", "run_at"),
        (("schedule", "runAt"), "every", "start_at"),
        (("schedule", "quietHours", "from"), "cron", "quiet_from"),
        (("callbackEvents", 0), "cron", "callback_events"),
        (("metadata",), "cron", None),
        ((), "cron", None),
    ],
)
def test_a_fault_lands_at_its_field(path: tuple[str | int, ...], kind: str, field: str | None) -> None:
    assert field_at(path, kind) == field
