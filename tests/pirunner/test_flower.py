"""Flower inside the admin: who may see it, who may command with it, and what is passed on."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from pirunner import flower_note
from pirunner.flower_proxy import INLINE_SCRIPT
from pirunner.roles import Role
from pirunner.staff.people import put_role
from tests.jobs import making

pytestmark = pytest.mark.usefixtures("committed_db")
PAGE = "/admin/flower/"
OURS = {"HTTP_SEC_FETCH_SITE": "same-origin"}


class Heard(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_GET(self) -> None:
        content = json.dumps({"method": self.command, "path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", "_xsrf=1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815  (http.server's name)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def upstream(owner: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something that listens where Flower would, and the note that says so."""
    monkeypatch.setenv("FLOWER_PASSWORD", "for-flower-only")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Heard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (owner.RUNNER_DATA_DIR / "run").mkdir()
    flower_note.write(owner.RUNNER_DATA_DIR, server.server_port)
    yield
    server.shutdown()
    server.server_close()


def member(role: Role | None) -> Client:
    person = User.objects.create_user(f"a-{role}", is_staff=True)
    put_role(person, role)
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize("place", ["", "tasks", "static/js/flower.js"])
def test_a_stranger_is_sent_to_the_login(place: str) -> None:
    answer = Client().get(PAGE + place)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


@pytest.mark.usefixtures("upstream")
@pytest.mark.parametrize(
    ("role", "method", "place", "status"),
    [
        (None, "get", "", 403),
        (None, "get", "tasks", 403),
        (Role.VIEWER, "get", "", 200),
        (Role.VIEWER, "get", "tasks", 200),
        (Role.VIEWER, "post", "tasks/datatable", 200),
        (Role.VIEWER, "post", "api/worker/shutdown/worker@here", 403),
        (Role.OPERATOR, "post", "api/worker/shutdown/worker@here", 403),
        (Role.ADMIN, "post", "api/worker/shutdown/worker@here", 200),
    ],
)
def test_who_may_look_and_who_may_command(role: Role | None, method: str, place: str, status: int) -> None:
    assert getattr(member(role), method)(PAGE + place, **OURS).status_code == status


@pytest.mark.usefixtures("upstream")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, 403),
        ({"HTTP_SEC_FETCH_SITE": "same-site"}, 403),
        ({"HTTP_ORIGIN": "https://evil.example"}, 403),
        ({"HTTP_ORIGIN": "http://testserver"}, 200),
        (OURS, 200),
    ],
)
def test_a_forged_command_is_refused(headers: dict[str, Any], status: int) -> None:
    assert member(Role.ADMIN).post(f"{PAGE}api/task/revoke/1", **headers).status_code == status


@pytest.mark.usefixtures("upstream")
def test_flower_gets_its_password_and_no_cookie_and_gives_none_back() -> None:
    answer = member(Role.VIEWER).get(f"{PAGE}tasks?a=1")

    heard = answer.json()
    assert heard["path"] == "/admin/flower/tasks?a=1"
    assert heard["headers"]["authorization"].startswith("Basic ")
    assert "Cookie" not in heard["headers"]
    assert "_xsrf" not in answer.cookies
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"].partition("script-src")[2].partition(";")[0]


def test_flower_being_away_is_said(owner: Any) -> None:
    client = member(Role.VIEWER)
    answer = client.get(f"{PAGE}tasks")
    assert (answer.status_code, "does not answer" in answer.content.decode()) == (503, True)

    owner.FLOWER = False

    assert "switched off" in client.get(PAGE).content.decode()
    assert "switched off" in client.get(f"{PAGE}tasks").content.decode()


def test_a_note_of_a_process_that_is_gone_is_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    flower_note.write(tmp_path, 5555)
    assert flower_note.read(tmp_path) == 5555

    (tmp_path / "run" / "flower").write_text(f"5555 {2**22 + os.getpid()}\n")

    assert flower_note.read(tmp_path) is None


def test_the_page_of_a_job_leads_to_its_tasks() -> None:
    job = making.submit()

    page = member(Role.VIEWER).get(f"{PAGE}?job={job.pk}").content.decode()

    assert f"/admin/flower/tasks?name=jobs.ping%20%28args%3A%22%5B{job.pk}%5D%22" in page


def test_the_one_inline_script_of_flower_is_the_one_that_is_allowed() -> None:
    import flower

    template = Path(flower.__file__).with_name("templates") / "workers.html"

    assert "var autorefresh = {{ autorefresh }};" in template.read_text()
    assert INLINE_SCRIPT == "\nvar autorefresh = 1;\n"
