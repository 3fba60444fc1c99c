"""People of the admin, and what they do and read there, for tests."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.schedules.calls import row

LIST = "/admin/schedules/schedule/"


@pytest.fixture
def people() -> Iterator[None]:
    """The users of the admin are gone at the end; the tables of Django's own apps are kept otherwise."""
    yield
    LogEntry.objects.all().delete()
    User.objects.all().delete()


@pytest.fixture
def ana(people: None) -> Client:  # noqa: ARG001
    """The owner."""
    client = Client()
    client.force_login(User.objects.create_superuser("ana", password="a"))
    return client


def staff(*permissions: str) -> Client:
    """Return a member of the staff with these permissions."""
    user = User.objects.create_user("ben", password="b", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ben(people: None) -> Client:  # noqa: ARG001
    """One who may look, and no more."""
    return staff(*(f"view_{model}" for model in ("schedule", "occurrence", "tombstone", "auditentry")))


def text_of(answer: Any) -> str:
    """Return what a page says, without its tags."""
    assert answer.status_code == 200, (answer.status_code, answer.get("Location"))
    visible = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", visible)).split())


def act(client: Client, action: str, *schedule_ids: str, **more: Any) -> Any:
    """Do an action of the list to these, confirmed."""
    chosen = [row(schedule_id).pk for schedule_id in schedule_ids]
    return client.post(LIST, {"action": action, "_selected_action": chosen, "confirmed": "1", **more}, follow=True)


def page_of(schedule_id: str) -> str:
    """Return the address of a schedule's page."""
    return f"{LIST}{row(schedule_id).pk}/change/"


def press(client: Client, button: str, schedule_id: str) -> Any:
    """Press a button of a schedule's page."""
    return client.post(f"{LIST}{row(schedule_id).pk}/act/", {"act": button}, follow=True)
