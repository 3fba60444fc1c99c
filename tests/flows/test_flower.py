"""Flower inside the admin, with everything real."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import requests

from pirunner.flower_proxy import INLINE_SCRIPT
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.flow


@pytest.fixture
def stack(tmp_path: Path, database_url: str) -> Iterator[Stack]:
    with Stack(tmp_path, database_url=database_url, FLOWER="on") as running:
        yield running


def logged_in(stack: Stack) -> requests.Session:
    session = requests.Session()
    login = f"{stack.base_url}/admin/login/"
    form = session.get(login).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token
    fields = {"username": "admin", "password": stack.secret("ADMIN_PASSWORD"), "csrfmiddlewaretoken": token[1]}
    assert session.post(login, fields, allow_redirects=False).status_code == 302
    return session


def found(stack: Stack, session: requests.Session, job_id: str) -> list[str]:
    """Return the names of the tasks that Flower's own page would list for a job."""
    page = session.get(f"{stack.base_url}/admin/flower/", params={"job": job_id}).text
    frame = re.search(r'<iframe[^>]* src="([^"]+)"', page)
    assert frame
    assert session.get(stack.base_url + frame[1]).status_code == 200
    search = unquote(frame[1].partition("?name=")[2])
    fields = {"draw": 1, "start": 0, "length": 10, "search[value]": f"name:{search}", "order[0][column]": 0}
    same_origin = {"Sec-Fetch-Site": "same-origin"}
    answer = session.post(f"{stack.base_url}/admin/flower/tasks/datatable", fields, headers=same_origin)
    return [task["name"] for task in answer.json()["data"]]


def heard(stack: Stack, session: requests.Session) -> str:
    """Return the id of a ping that Flower has heard of; what was done before it listened, it never will."""
    job_id = stack.submit("ping")
    stack.finish(job_id)
    return job_id if found(stack, session, job_id) else ""


def test_staff_find_the_task_of_a_job_and_strangers_nothing(stack: Stack) -> None:
    session = logged_in(stack)
    wait_for(lambda: session.get(f"{stack.base_url}/admin/flower/workers").status_code == 200, 30)
    ping_id = wait_for(lambda: heard(stack, session), 30)
    job_id = stack.submit("reminder", input={"message": "Water the plants"})
    stack.finish(job_id)

    wait_for(lambda: set(found(stack, session, job_id)) == {"jobs.reminder"})
    assert set(found(stack, session, ping_id)) == {"jobs.ping"}
    assert INLINE_SCRIPT in session.get(f"{stack.base_url}/admin/flower/workers").text

    stranger = requests.get(f"{stack.base_url}/admin/flower/tasks", allow_redirects=False, timeout=10)
    assert stranger.status_code == 302
    assert "/admin/login/" in stranger.headers["Location"]
    port = (stack.folder / "data" / "run" / "flower").read_text().split()[0]
    assert requests.get(f"http://127.0.0.1:{port}/admin/flower/tasks", timeout=10).status_code == 401
