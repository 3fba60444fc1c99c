"""People of the staff, and an instance that has seen some life."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from jobs.models import JobHour
from jobs.states import State
from pirunner.dashboard.look import Look
from tests.jobs.making import active, delayed, ended, waiting
from tests.parts import api, owner, rings
from tests.schedules.making import cron, make
from tests.webhooks.making import delivery, failing

__all__ = ["api", "owner", "rings"]

REASON = "The harbour office answered 503."


@pytest.fixture
def person() -> Callable[..., User]:
    """A maker of members of the staff with these permissions (``app.codename``)."""

    def make_person(*permissions: str) -> User:
        user = User.objects.create_user(f"person{User.objects.count()}", is_staff=True)
        for name in permissions:
            label, codename = name.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))
        return User.objects.get(pk=user.pk)

    return make_person


@pytest.fixture
def browser() -> Callable[[User], Client]:
    """A maker of browsers in which somebody is logged in."""

    def open_for(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return open_for


@pytest.fixture
def admin_user() -> User:
    """Who may do anything."""
    return User.objects.create_superuser("owner")


@pytest.fixture
def look(admin_user: User) -> Look:
    """What the owner sees now."""
    return Look(admin_user)


@pytest.fixture
def life() -> Any:
    """Jobs in every state, failures with reasons, a schedule, and callbacks that nobody took."""
    now = timezone.now()
    active(progress=40, status_message="reading page 4 of 10")
    waiting()
    delayed(due_at=now + timedelta(hours=1))
    for minutes in (1, 2, 3):
        ended("failed", at=now - timedelta(minutes=minutes), error=REASON, error_class="Unreachable")
    ended("completed")
    JobHour.objects.create(
        hour=now.replace(minute=0, second=0, microsecond=0),
        job_type="slow",
        state=State.FAILED.value,
        ended=3,
        seconds=1.0,
        buckets=[0] * 12,
    )
    make(cron("0 9 * * 1-5"), name="tide tables")
    delivery("https://hooks.example/a", state="dead", attempts=10, last_status=502, next_attempt_at=None)
    failing("hooks.example")
