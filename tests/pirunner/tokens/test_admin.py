"""Tokens in the admin: shown once, narrowed, rotated, revoked."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from pirunner.tokens.models import Token
from tests.parts import Api
from tests.pirunner.tokens.making import token

pytestmark = pytest.mark.usefixtures("committed_db")
ADD = "/admin/tokens/token/add/"
LIST = "/admin/tokens/token/"
TEXT = re.compile(r"pirt_[0-9A-Za-z]{49}")


@pytest.fixture
def ana() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ana", password="a"))
    return client


def fields(**more: Any) -> dict[str, Any]:
    return {"label": "agent", "scopes": ["jobs:read"], "expires_at_0": "", "expires_at_1": "", **more}


def act(client: Client, action: str) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": str(Token.objects.get().pk), "index": "0"})


def test_a_new_token_is_shown_once_and_works(api: Api, ana: Client) -> None:
    answer = ana.post(ADD, fields(job_types=["ping"], own_only="on", requests_per_minute="30"))

    (text,) = set(TEXT.findall(answer.content.decode()))
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies.get("messages")
    assert api.get("/jobs", Authorization=f"Bearer {text}").status_code == 200
    made = Token.objects.get()
    assert (made.scopes, made.job_types, made.own_only, made.requests_per_minute) == ("jobs:read", "ping", True, 30)
    assert made.created_by == "admin:ana"
    for place in (LIST, f"{LIST}{made.pk}/change/", "/admin/"):
        assert text not in ana.get(place).content.decode()
    assert LogEntry.objects.get().object_repr == "agent"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"label": "with blank"}, "A label has"),
        ({"label": "bootstrap"}, "somebody else"),
        ({"scopes": []}, "This field is required"),
        ({"scopes": ["admin"], "own_only": "on"}, "cannot be limited"),
        ({"requests_per_minute": "0"}, "greater than or equal to 1"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "expires in the future"),
        ({"job_types": ["no-such"]}, "not one of the available choices"),
    ],
)
def test_what_makes_no_sense_is_said_and_not_made(ana: Client, more: dict[str, Any], said: str) -> None:
    answer = ana.post(ADD, fields(**more))

    assert said in answer.content.decode()
    assert not Token.objects.exists()


def test_a_label_is_taken_for_ever(ana: Client) -> None:
    token()

    assert "already exists" in ana.post(ADD, fields()).content.decode()


def test_a_token_is_narrowed(api: Api, ana: Client) -> None:
    header = token()

    answer = ana.post(f"{LIST}{Token.objects.get().pk}/change/", fields(scopes=["jobs:write"]))

    assert answer.status_code == 302
    assert api.get("/jobs", **header).status_code == 403


def test_revoking_lets_it_in_no_more_and_is_noted(api: Api, ana: Client) -> None:
    header = token()

    act(ana, "revoke")

    assert api.get("/jobs", **header).status_code == 401
    assert LogEntry.objects.get().change_message == "revoked"
    assert Token.objects.get().revoked_by == "admin:ana"


def test_rotating_shows_another_text(api: Api, ana: Client) -> None:
    header = token()

    (text,) = set(TEXT.findall(act(ana, "rotate").content.decode()))

    assert api.get("/jobs", **header).status_code == 401
    assert api.get("/jobs", Authorization=f"Bearer {text}").status_code == 200


def test_nobody_deletes_one(ana: Client) -> None:
    token()

    assert ana.post(f"{LIST}{Token.objects.get().pk}/delete/", {"post": "yes"}).status_code == 403
    assert Token.objects.exists()
