"""The front page, its panels one by one, and its buttons."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.models import Job
from pirunner import signs
from pirunner.dashboard.panels import PANELS
from schedules.models import Schedule
from tests.pirunner.dashboard.conftest import REASON
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db

Person = Callable[..., User]
Browser = Callable[[User], Client]


def page(client: Client) -> str:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return answer.content.decode()


def shown(html: str) -> set[str]:
    return set(re.findall(r'id="panel-(\w+)" class', html))


def press(client: Client, act: str, number: int) -> dict[str, Any]:
    answer = client.post(f"/admin/dashboard/act/{act}/{number}/")
    assert answer.status_code == 204
    told: dict[str, Any] = json.loads(answer["HX-Trigger"])["told"]
    return told


# -- what is shown ------------------------------------------------------------------------------------------------


def test_an_empty_instance_says_what_to_do_first(browser: Browser, admin_user: User) -> None:
    html = page(browser(admin_user))

    assert shown(html) == {panel.name for panel in PANELS}
    assert "curl http://testserver/jobs" in html
    assert "Nothing runs right now." in html
    assert "Nothing is planned yet" in html


@pytest.mark.usefixtures("life")
def test_a_full_instance_tells_everything(browser: Browser, admin_user: User) -> None:
    html = page(browser(admin_user))

    assert REASON in html
    assert "3 times" in html
    assert "reading page 4 of 10" in html
    assert "tide tables" in html
    assert "1 callback was given up." in html
    assert "first_steps" not in shown(html)


@pytest.mark.usefixtures("life")
def test_a_figure_leads_to_the_jobs_that_it_counts(browser: Browser, admin_user: User) -> None:
    client = browser(admin_user)
    found = re.search(r'id="count-failed" href="([^"]+)"', page(client))
    assert found is not None

    states = re.findall(r'class="pr-badge" data-state="(\w+)"', client.get(found[1]).content.decode())

    assert set(states) == {"failed"}


@pytest.mark.usefixtures("life")
def test_somebody_without_permissions_sees_only_how_it_is(browser: Browser, person: Person) -> None:
    html = page(browser(person()))

    assert shown(html) == {"health", "processes", "machine", "outage"}
    assert REASON not in html
    assert "given up" not in html
    assert "/admin/jobs/" not in html


@pytest.mark.usefixtures("life")
def test_a_viewer_sees_without_buttons(browser: Browser, person: Person) -> None:
    html = page(browser(person("jobs.view_job", "schedules.view_schedule", "webhooks.view_delivery")))

    assert REASON in html
    assert "tide tables" in html
    assert "hx-post" not in html


def test_nothing_of_the_page_is_inline_or_from_elsewhere(browser: Browser, admin_user: User) -> None:
    answer = browser(admin_user).get("/admin/")
    html = answer.content.decode()

    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', html)


# -- looking again ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("panel", [panel.name for panel in PANELS])
def test_a_panel_that_has_not_changed_is_not_sent_again(browser: Browser, admin_user: User, panel: str) -> None:
    client = browser(admin_user)
    first = client.get(f"/admin/dashboard/{panel}/")
    (again,) = re.findall(r'hx-get="([^"]+)"', first.content.decode())

    same = client.get(again)

    assert (first.status_code, first["Cache-Control"]) == (200, "no-store")
    # The load and the free bytes of a machine change by themselves.
    assert same.status_code == 204 or panel == "machine"


@pytest.mark.parametrize(("name", "status"), [("failures", 404), ("health", 200), ("nothing", 404)])
def test_a_panel_is_for_those_who_may_see_it(browser: Browser, person: Person, name: str, status: int) -> None:
    assert browser(person()).get(f"/admin/dashboard/{name}/").status_code == status


def test_who_is_no_longer_logged_in_is_sent_to_the_login_page_as_a_whole() -> None:
    answer = Client().get("/admin/dashboard/health/")

    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (204, "true", b"")


def test_a_broker_that_hangs_costs_its_half_second_once(browser: Browser, admin_user: User, owner: Any) -> None:
    owner.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"  # nobody listens there
    client = browser(admin_user)
    began = time.monotonic()

    html = page(client)

    assert time.monotonic() - began < 2 * signs.LOOK_SECONDS + 1
    assert "The broker (Redis) does not answer." in html
    assert "nobody knows who is there" in html


@pytest.mark.usefixtures("life")
def test_the_page_asks_the_database_a_bounded_number_of_times(browser: Browser, admin_user: User) -> None:
    client = browser(admin_user)
    page(client)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        page(client)

    assert len(asked) <= 40


# -- buttons ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("life")
def test_a_failed_job_is_retried_and_that_is_noted(browser: Browser, admin_user: User) -> None:
    job = Job.objects.filter(state="failed").latest("pk")

    told = press(browser(admin_user), "retry", job.pk)

    job.refresh_from_db()
    assert (told["level"], job.state) == ("ok", "waiting")
    assert LogEntry.objects.get().change_message == "queued again"


@pytest.mark.usefixtures("life")
def test_a_running_job_is_cancelled(browser: Browser, admin_user: User) -> None:
    job = Job.objects.active().get()

    press(browser(admin_user), "cancel", job.pk)

    job.refresh_from_db()
    assert job.cancel_requested_by == "admin:owner"


@pytest.mark.usefixtures("life")
def test_a_schedule_is_run_at_once(browser: Browser, admin_user: User) -> None:
    schedule = Schedule.objects.get()

    press(browser(admin_user), "run", schedule.pk)

    assert Job.objects.filter(schedule_id=schedule.public_id).count() == 1


@pytest.mark.usefixtures("life")
def test_a_dead_letter_is_replayed(browser: Browser, admin_user: User) -> None:
    letter = Delivery.objects.get()

    press(browser(admin_user), "replay", letter.pk)

    letter.refresh_from_db()
    assert letter.state == "pending"


@pytest.mark.usefixtures("life")
def test_what_cannot_be_done_is_told_in_a_sentence(browser: Browser, admin_user: User) -> None:
    job = Job.objects.get(state="completed")

    told = press(browser(admin_user), "cancel", job.pk)

    assert (told["level"], told["text"]) == ("bad", f"Job {job.pk} has completed already.")
    assert not LogEntry.objects.exists()


@pytest.mark.usefixtures("life")
@pytest.mark.parametrize("act", ["cancel", "retry", "run", "replay"])
def test_buttons_are_for_those_who_may_press_them(browser: Browser, person: Person, act: str) -> None:
    viewer = browser(person("jobs.view_job", "schedules.view_schedule", "webhooks.view_delivery"))

    assert viewer.post(f"/admin/dashboard/act/{act}/1/").status_code == 403


# -- the shell ----------------------------------------------------------------------------------------------------


def test_the_sidebar_has_only_links_that_one_may_follow(browser: Browser, person: Person) -> None:
    html = page(browser(person("schedules.view_schedule")))

    assert "/admin/schedules/schedule/" in html
    assert "/admin/webhooks/" not in html
    assert "/admin/auth/" not in html


def test_an_unknown_page_says_so_within_the_shell(browser: Browser, admin_user: User) -> None:
    answer = browser(admin_user).get("/admin/nothing/here/")

    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content


def test_a_form_without_its_token_is_refused_with_a_page(admin_user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)

    answer = client.post("/admin/dashboard/act/cancel/1/")

    assert answer.status_code == 403
    assert b"The form was too old" in answer.content


def test_the_api_answers_an_unknown_address_with_json(api: Any) -> None:
    answer = api.get("/nothing")

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_the_icon_is_where_browsers_look_for_it() -> None:
    answer = Client().get("/favicon.ico")

    assert (answer.status_code, answer["Location"]) == (302, "/static/pirunner/favicon.svg")


# -- with very many rows ------------------------------------------------------------------------------------------

BIG = ("jobs_job", "jobs_jobhour", "webhooks_delivery", "webhooks_event")

SORTS = {"running", "upcoming"}
"""What runs is sorted by hand, no more than the workers hold; and the few that were found to be due next."""


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plans are SQLite's; PostgreSQL's depend on the rows")
@pytest.mark.usefixtures("life")
@pytest.mark.parametrize("panel", [panel.name for panel in PANELS])
def test_no_panel_reads_a_big_table_from_end_to_end(browser: Browser, admin_user: User, panel: str) -> None:
    client = browser(admin_user)
    with CaptureQueriesContext(connection) as asked:
        client.get(f"/admin/dashboard/{panel}/")

    with connection.cursor() as cursor:
        plans = [
            (query["sql"], step[3])
            for query in asked.captured_queries
            if query["sql"].startswith("SELECT")
            for step in cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}").fetchall()
        ]

    assert [(sql, step) for sql, step in plans for table in BIG if step == f"SCAN {table}"] == []
    assert [(sql, step) for sql, step in plans if "TEMP B-TREE" in step and '"jobs_job"' in sql] == [] or panel in SORTS
