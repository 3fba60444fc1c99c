"""Sessions and CSRF are there for pages, and out of the API's way."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

pytestmark = pytest.mark.usefixtures("committed_db")


def test_a_page_has_a_session_and_a_form_token() -> None:
    get_user_model().objects.create_superuser("ana", "", "a password for ana")
    browser = Client(enforce_csrf_checks=True)
    browser.get("/admin/login/")
    form = {
        "username": "ana",
        "password": "a password for ana",
        "csrfmiddlewaretoken": browser.cookies["csrftoken"].value,
    }

    answer = browser.post("/admin/login/?next=/admin/", form)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    assert browser.get("/admin/jobs/job/").status_code == 200


def test_a_form_without_its_token_is_refused() -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "ana", "password": "x"})

    assert answer.status_code == 403


def test_the_api_sets_no_cookie() -> None:
    assert not Client().get("/job-types").cookies
