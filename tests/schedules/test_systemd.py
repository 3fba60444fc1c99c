"""Schedules whose timers are systemd's: their manifests, the timers that ring, and those that are silent."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from installer.manifests import Interval, Manifests
from jobs.models import Job
from schedules import systemd
from schedules.firing import SILENCE, fire_due, fire_silent, next_due_at
from schedules.models import Occurrence, Schedule
from tests.parts import Api
from tests.schedules.calls import error, faults, row

pytestmark = pytest.mark.usefixtures("committed_db")

TOKEN = "installer-token-5d1f"
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def installer_token(settings: Any) -> None:
    settings.INSTALLER_TOKEN = TOKEN


def submit(api: Api, schedule: Any = None, **fields: Any) -> Any:
    body = {"jobType": "ping", "scheduleBackend": "systemd", "schedule": schedule or {"everySeconds": 60}, **fields}
    return api.post("/jobs", body)


def make(api: Api, schedule: Any = None, **fields: Any) -> str:
    answer = submit(api, schedule, **fields)
    assert answer.status_code == 202, answer.content
    return str(answer.json()["jobId"])


def ring(api: Api, schedule_id: str, token: str = TOKEN) -> Any:
    return api.request("POST", f"/internal/systemd/trigger/{schedule_id}", x_installer_token=token, Authorization="")


def due_since(schedule_id: str, seconds: float) -> None:
    """Let a schedule's first time have been due so many seconds ago."""
    due = timezone.now() - timedelta(seconds=seconds)
    Schedule.objects.filter(public_id=schedule_id).update(
        first_at=due, next_due_at=due, covered_until=due - SECOND / 1000
    )


def outcomes(schedule_id: str) -> list[tuple[str, str]]:
    rows = Occurrence.objects.filter(schedule__public_id=schedule_id).order_by("due_at")
    return list(rows.values_list("outcome", "reason"))


def manifests(settings: Any) -> Manifests:
    return Manifests(settings.RUNNER_DATA_DIR)


# -- what is handed over ------------------------------------------------------------------------------------------


def test_a_submission_is_answered_as_by_the_old_program(api: Api) -> None:
    answer = submit(api)

    told = answer.json()
    assert answer.status_code == 202
    assert told.pop("jobId").startswith("sysd-")
    assert told == {
        "status": "scheduled",
        "backend": "systemd",
        "scheduled": True,
        "installState": "manifest_written",
    }


def test_its_manifest_tells_when_and_nothing_else(api: Api, settings: Any) -> None:
    schedule_id = make(api, {"everySeconds": 60}, input={"secret": "sentinel-9f2c"})

    manifest = manifests(settings).read(schedule_id)
    assert manifest is not None
    assert isinstance(manifest.when, Interval)
    assert (manifest.enabled, manifest.when.seconds) == (True, 60)
    assert "sentinel-9f2c" not in manifests(settings).path(schedule_id).read_text()


def test_pause_edit_and_delete_reach_the_manifest(api: Api, settings: Any) -> None:
    schedule_id = make(api)

    paused = api.request("PATCH", f"/jobs/{schedule_id}", b'{"action":"pause"}').json()
    assert (paused["backend"], paused["enabled"]) == ("systemd", False)
    assert paused["note"]
    manifest = manifests(settings).read(schedule_id)
    assert manifest is not None
    assert not manifest.enabled

    api.request("PATCH", f"/jobs/{schedule_id}", b'{"schedule":{"everySeconds":90}}')
    manifest = manifests(settings).read(schedule_id)
    assert manifest is not None
    assert isinstance(manifest.when, Interval)
    assert manifest.when.seconds == 90

    deleted = api.delete(f"/jobs/{schedule_id}").json()
    assert deleted == {"ok": True, "id": schedule_id, "removed": True, "backend": "systemd"}
    assert not manifests(settings).path(schedule_id).exists()
    assert manifests(settings).read_index().live == {}


def test_it_is_listed_with_its_manifest(api: Api, settings: Any) -> None:
    schedule_id = make(api)

    (item,) = api.get("/schedules?backend=systemd").json()["schedules"]
    assert item["manifestPath"] == str(manifests(settings).path(schedule_id))
    assert "repeatKey" not in item


def test_it_has_no_periodic_task(api: Api) -> None:
    assert row(make(api)).periodic_task is None


@pytest.mark.parametrize(
    ("schedule", "place"),
    [
        ({"everySeconds": 4.5}, ("schedule", "everySeconds")),
        ({"cron": "0 0 L * *"}, ("schedule", "cron")),
        ({"cron": "0 0 * * MON#2"}, ("schedule", "cron")),
        ({}, ("schedule",)),
    ],
)
def test_what_systemd_cannot_express_is_refused_at_once(api: Api, schedule: Any, place: tuple[str, ...]) -> None:
    answer = api.post("/jobs", {"jobType": "ping", "scheduleBackend": "systemd", "schedule": schedule})

    assert place in faults(answer)
    assert not Schedule.objects.exists()


def test_nor_can_it_be_edited_to_that(api: Api) -> None:
    schedule_id = make(api)

    answer = api.request("PATCH", f"/jobs/{schedule_id}", b'{"schedule":{"cron":"0 0 L * *"}}')

    assert ("schedule", "cron") in faults(answer)
    assert row(schedule_id).every_seconds == 60


def test_a_name_stays_with_its_backend(api: Api) -> None:
    body = b'{"jobType":"ping","schedule":{"everySeconds":60}%s}'
    assert api.request("PUT", "/schedules/tea", body % b',"scheduleBackend":"systemd"').status_code == 201

    assert error(api.request("PUT", "/schedules/tea", body % b"")) == (409, "backend_fixed")


def test_a_manifest_that_could_not_be_written_is_written_by_the_clock(api: Api, settings: Any) -> None:
    in_the_way = Path(settings.RUNNER_DATA_DIR) / "systemd-manifests"
    in_the_way.write_text("a file where the folder should be")

    answer = submit(api).json()
    assert answer["installState"] == "manifest_pending"
    assert systemd.keep_up(timezone.now()) == 0

    in_the_way.unlink()
    assert systemd.keep_up(timezone.now()) == 1
    assert manifests(settings).read(answer["jobId"]) is not None
    assert systemd.keep_up(timezone.now()) == 0


def test_a_clock_that_starts_puts_the_manifests_right(api: Api, settings: Any) -> None:
    lost, kept = make(api), make(api)
    manifests(settings).path(lost).unlink()

    assert systemd.put_right(timezone.now()) == 2
    assert manifests(settings).read(lost) is not None
    assert manifests(settings).read(kept) is not None


def test_without_schedules_of_systemd_it_makes_no_folder(settings: Any) -> None:
    assert systemd.put_right(timezone.now()) == 0
    assert not manifests(settings).folder.exists()


def test_so_is_the_deletion_of_one(api: Api, settings: Any) -> None:
    schedule_id = make(api)
    Schedule.objects.filter(public_id=schedule_id).update(deleted_at=timezone.now(), next_due_at=None)

    assert systemd.keep_up(timezone.now()) == 1
    assert manifests(settings).read_index().live == {}
    assert systemd.keep_up(timezone.now()) == 0


# -- timers that ring ---------------------------------------------------------------------------------------------


def test_a_ring_fires_what_is_due_once(api: Api) -> None:
    schedule_id = make(api, metadata={"by": "agent"})
    due_since(schedule_id, 0.2)

    first, second = ring(api, schedule_id).json(), ring(api, schedule_id).json()

    job = Job.objects.get()
    assert first == second == {"ok": True, "scheduleId": schedule_id, "queuedJobId": str(job.pk)}
    assert job.metadata == {"by": "agent", "scheduleBackend": "systemd", "scheduleId": schedule_id}
    assert outcomes(schedule_id) == [("fired", "")]


def test_a_ring_a_moment_early_is_for_the_time_that_is_about_to_come(api: Api) -> None:
    schedule_id = make(api)
    due_since(schedule_id, -0.2)

    assert ring(api, schedule_id).json()["queuedJobId"]
    assert row(schedule_id).covered_until == row(schedule_id).first_at


def test_a_ring_when_nothing_is_due_fires_nothing(api: Api) -> None:
    schedule_id = make(api)

    assert ring(api, schedule_id).json() == {"ok": True, "scheduleId": schedule_id, "queuedJobId": None}
    assert not Job.objects.exists()


def test_a_ring_after_downtime_obeys_the_misfire_rule(api: Api) -> None:
    schedule_id = make(api, {"everySeconds": 600, "misfire": "skip"})
    due_since(schedule_id, 400)

    assert ring(api, schedule_id).json()["queuedJobId"] is None
    assert outcomes(schedule_id) == [("skipped", "missed")]


def test_a_paused_schedule_refuses(api: Api) -> None:
    schedule_id = make(api)
    api.request("PATCH", f"/jobs/{schedule_id}", b'{"action":"pause"}')

    assert error(ring(api, schedule_id)) == (409, "schedule_paused")


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "Bearer " + TOKEN, "ä"])
def test_the_installers_token_is_needed(api: Api, token: str) -> None:
    assert error(ring(api, make(api), token)) == (401, "unauthorized_installer")


def test_without_a_token_configured_nobody_can_ring(api: Api, settings: Any) -> None:
    settings.INSTALLER_TOKEN = ""

    assert error(ring(api, make(api), "")) == (401, "unauthorized_installer")


def test_the_token_is_looked_at_before_the_id(api: Api) -> None:
    assert error(ring(api, "sysd-none", "wrong")) == (401, "unauthorized_installer")
    assert error(ring(api, "sysd-none")) == (404, "not_found")


def test_only_schedules_of_systemd_are_rung_for(api: Api) -> None:
    celerys = api.post("/jobs", {"jobType": "ping", "schedule": {"everySeconds": 60}}).json()["jobId"]

    assert error(ring(api, celerys)) == (404, "not_found")


# -- timers that are silent ---------------------------------------------------------------------------------------


def test_the_clock_leaves_a_due_time_to_its_timer_for_a_moment(api: Api) -> None:
    schedule_id = make(api)
    due_since(schedule_id, SILENCE.total_seconds() - 1)

    assert fire_due(timezone.now()) == 0
    assert fire_silent(timezone.now()) == 0


def test_then_it_fires_it_itself_and_a_late_ring_changes_nothing(api: Api) -> None:
    schedule_id = make(api)
    due_since(schedule_id, SILENCE.total_seconds() + 0.5)

    assert fire_silent(timezone.now()) == 1
    assert outcomes(schedule_id) == [("fired", "timer_silent")]
    assert ring(api, schedule_id).json()["queuedJobId"] == str(Job.objects.get().pk)
    assert outcomes(schedule_id) == [("fired", "timer_silent")]


def test_a_short_period_is_not_missed_for_the_moment_that_it_is_left_alone(api: Api) -> None:
    schedule_id = make(api, {"everySeconds": 4})
    due_since(schedule_id, SILENCE.total_seconds() + 1)

    fire_silent(timezone.now())

    assert outcomes(schedule_id) == [("fired", "timer_silent")]


def test_the_clock_does_not_look_again_before_that(api: Api) -> None:
    schedule_id = make(api)

    looks_at = next_due_at()
    due = row(schedule_id).next_due_at
    assert looks_at is not None
    assert due is not None
    assert looks_at - due == SILENCE


# -- the installer's own account ----------------------------------------------------------------------------------


def test_without_schedules_of_systemd_nobody_misses_the_installer(api: Api) -> None:
    assert api.get("/installer/status").json() == {
        "state": "unused",
        "pending": [],
        "schedules": 0,
        "installer": None,
    }


def test_an_absent_installer_is_told_of(api: Api) -> None:
    schedule_id = make(api)

    told = api.get("/installer/status").json()
    assert (told["state"], told["pending"]) == ("absent", [schedule_id])
    assert api.get("/health").json()["installer"] == {"state": "absent"}
