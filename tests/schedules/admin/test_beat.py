"""django-celery-beat's own pages: ours can be switched off and on there, an owner's tasks are as they always were."""

import importlib
import json
from typing import Any

import pytest
from celery import current_app
from django.test import Client
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)

from jobs.models import Job
from schedules.beat_edits import BeatEdits
from schedules.mirror import TASK
from schedules.models import AuditEntry, Schedule
from tests.parts import Api
from tests.schedules.admin.people import staff, text_of
from tests.schedules.calls import AT_NINE, EVERY_HOUR, body, make, row

pytestmark = pytest.mark.usefixtures("committed_db")

TASKS = "/admin/django_celery_beat/periodictask/"
FIELDS = {"regtask": "", "args": "[]", "kwargs": "{}", "headers": "{}", "priority": "", "description": ""}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of Celery's tasks that were sent; nothing goes to a broker."""
    names: list[str] = []

    def note(task: Any, *_: Any, **__: Any) -> None:
        names.append(task.name)

    monkeypatch.setattr("celery.app.task.Task.apply_async", note)
    return names


def mirror_of(schedule_id: str) -> PeriodicTask:
    task = row(schedule_id).periodic_task
    assert task is not None
    return task


def own(name: str = "own", **fields: Any) -> PeriodicTask:
    interval, _ = IntervalSchedule.objects.get_or_create(every=5, period="minutes")
    return PeriodicTask.objects.create(name=name, task="celery.backend_cleanup", interval=interval, **fields)


def page(task: PeriodicTask) -> str:
    return f"{TASKS}{task.pk}/change/"


def act(client: Client, action: str, *tasks: PeriodicTask, **more: Any) -> Any:
    return client.post(TASKS, {"action": action, "_selected_action": [t.pk for t in tasks], **more}, follow=True)


# -- ours ---------------------------------------------------------------------------------------------------------


def test_ours_is_shown_with_a_note_and_a_link(ana: Client, api: Api) -> None:
    schedule_id = api.put("/schedules/bins", body(AT_NINE)).json()["jobId"]

    answer = ana.get(page(mirror_of(schedule_id)))

    told = text_of(answer)
    assert "pirunner keeps and fires this" in told
    assert f'href="/admin/schedules/schedule/{row(schedule_id).pk}/change/"' in answer.content.decode()
    assert 'name="enabled"' in answer.content.decode()
    for field in ("name", "crontab", "interval", "args", "kwargs", "task", "regtask"):
        assert f'name="{field}"' not in answer.content.decode()


def test_switching_ours_off_and_on_is_done_at_once(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)

    ana.post(page(mirror_of(schedule_id)), {})
    assert (row(schedule_id).enabled, mirror_of(schedule_id).enabled) == (False, False)

    ana.post(page(mirror_of(schedule_id)), {"enabled": "on"})
    assert (row(schedule_id).enabled, mirror_of(schedule_id).enabled) == (True, True)
    assert list(AuditEntry.objects.filter(by="admin:ana").values_list("action", flat=True)) == ["paused", "resumed"]


def test_nothing_else_of_ours_is_changed(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    before = PeriodicTask.objects.values().get()

    ana.post(page(mirror_of(schedule_id)), {**FIELDS, "enabled": "on", "name": "mine", "task": "x", "one_off": "on"})

    assert PeriodicTask.objects.values().get() == before
    assert row(schedule_id).version == 1


def test_saving_ours_does_not_make_beat_read_everything_anew(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    before = PeriodicTasks.last_change()

    ana.post(page(mirror_of(schedule_id)), {})

    assert PeriodicTasks.last_change() == before


def test_ours_is_not_deleted_there(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    mirror, mine = mirror_of(schedule_id), own()

    assert ana.post(f"{TASKS}{mirror.pk}/delete/", {"post": "yes"}).status_code == 403
    told = text_of(act(ana, "delete_selected", mirror, mine))
    act(ana, "delete_selected", mirror, mine, post="yes")

    assert "to be deleted on its own page" in told
    assert PeriodicTask.objects.count() == 2


def test_the_interval_of_ours_is_not_deleted_under_it(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    interval = mirror_of(schedule_id).interval
    assert interval is not None

    ana.post(f"/admin/django_celery_beat/intervalschedule/{interval.pk}/delete/", {"post": "yes"})

    assert IntervalSchedule.objects.filter(pk=interval.pk).exists()
    assert PeriodicTask.objects.count() == 1


def test_an_interval_that_was_changed_under_ours_is_put_right(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    interval = mirror_of(schedule_id).interval
    assert interval is not None
    watcher = BeatEdits()
    watcher.honour(row(schedule_id).created_at)

    ana.post(
        f"/admin/django_celery_beat/intervalschedule/{interval.pk}/change/",
        {
            "every": 7,
            "period": "seconds",
            "periodictask_set-TOTAL_FORMS": 0,
            "periodictask_set-INITIAL_FORMS": 0,
        },
    )
    assert IntervalSchedule.objects.get(pk=interval.pk).every == 7
    watcher.honour(row(schedule_id).created_at)

    assert str(mirror_of(schedule_id).interval) == "every 3600 seconds"


@pytest.mark.parametrize(
    ("action", "enabled"), [("disable_tasks", False), ("enable_tasks", True), ("toggle_tasks", False)]
)
def test_actions_on_many_switch_ours_and_the_owners(ana: Client, api: Api, action: str, enabled: bool) -> None:
    schedule_id, mine = make(api, EVERY_HOUR), own()

    act(ana, action, mirror_of(schedule_id), mine)

    assert (row(schedule_id).enabled, mirror_of(schedule_id).enabled) == (enabled, enabled)
    assert PeriodicTask.objects.get(pk=mine.pk).enabled is enabled


def test_running_many_submits_a_job_of_ours_and_sends_the_owners(ana: Client, api: Api, sent: list[str]) -> None:
    schedule_id, mine = make(api, EVERY_HOUR), own()

    told = text_of(act(ana, "run_tasks", mirror_of(schedule_id), mine))

    assert Job.objects.get().schedule_id == schedule_id
    assert sent == ["celery.backend_cleanup"]
    assert "A job of ping" in told
    assert "has not ended" in text_of(act(ana, "run_tasks", mirror_of(schedule_id)))


# -- an owner's own -----------------------------------------------------------------------------------------------


def test_an_owners_task_is_added_edited_and_deleted(ana: Client) -> None:
    interval = IntervalSchedule.objects.create(every=5, period="minutes")
    assert ana.get(f"{TASKS}add/").status_code == 200

    ana.post(f"{TASKS}add/", {**FIELDS, "name": "own", "task": "mine.do", "enabled": "on", "interval": interval.pk})
    task = PeriodicTask.objects.get()
    assert (task.task, task.enabled, task.interval) == ("mine.do", True, interval)

    ana.post(page(task), {**FIELDS, "name": "own", "task": "mine.do_more", "args": "[1]", "interval": interval.pk})
    task.refresh_from_db()
    assert (task.task, json.loads(task.args), task.enabled) == ("mine.do_more", [1], False)

    ana.post(f"{TASKS}{task.pk}/delete/", {"post": "yes"})
    assert not PeriodicTask.objects.exists()


def test_a_task_that_would_never_run_is_refused(ana: Client) -> None:
    interval = IntervalSchedule.objects.create(every=5, period="minutes")

    told = text_of(ana.post(f"{TASKS}add/", {**FIELDS, "name": "own", "task": TASK, "interval": interval.pk}))

    assert "is for pirunner's own schedules" in told
    assert not PeriodicTask.objects.exists()


def test_the_task_of_ours_is_not_offered(ana: Client) -> None:
    current_app.loader.import_default_modules()
    importlib.import_module("schedules.tasks")

    offered = ana.get(f"{TASKS}add/").content.decode()

    assert TASK in current_app.tasks
    assert f'value="{TASK}"' not in offered
    assert 'value="jobs.ping"' in offered


def test_the_list_tells_who_keeps_what(ana: Client, api: Api) -> None:
    make(api, EVERY_HOUR)
    own()

    told = text_of(ana.get(TASKS))

    assert "own you" in told
    assert ") pirunner" in told


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (CrontabSchedule, {"minute": "5"}),
        (IntervalSchedule, {"every": 5, "period": "days"}),
        (ClockedSchedule, {"clocked_time": "2090-01-01T00:00Z"}),
        (SolarSchedule, {"event": "sunrise", "latitude": 1, "longitude": 2}),
    ],
)
def test_crontabs_and_the_like_have_their_pages(ana: Client, model: Any, values: dict[str, Any]) -> None:
    found = model.objects.create(**values)
    own()
    place = f"/admin/django_celery_beat/{model._meta.model_name}/"

    for address in (place, f"{place}add/", f"{place}{found.pk}/change/", f"{place}{found.pk}/delete/"):
        assert ana.get(address).status_code == 200, address


# -- who may do it ------------------------------------------------------------------------------------------------


def test_who_may_look_can_do_nothing(people: None, api: Api, sent: list[str]) -> None:  # noqa: ARG001
    schedule_id, mine = make(api, EVERY_HOUR), own()
    ben = staff("view_periodictask", "view_intervalschedule")

    assert ben.get(TASKS).status_code == 200
    for task in (mirror_of(schedule_id), mine):
        assert ben.get(page(task)).status_code == 200
        assert ben.post(page(task), {**FIELDS, "name": "x", "task": "x"}).status_code == 403
    for action in ("enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks", "delete_selected"):
        act(ben, action, mirror_of(schedule_id), mine, post="yes")

    assert Schedule.objects.get().enabled
    assert PeriodicTask.objects.filter(enabled=True).count() == 2
    assert (Job.objects.count(), sent) == (0, [])
