"""People of each role, and what the tests of the pages share."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.parts import owner, rings

__all__ = ["owner", "rings"]

SEES = ("view_job", "view_artifact", "view_logline")
ACTS = ("add_job", "change_job", "delete_job")


def person(name: str, *permissions: str) -> Client:
    """Return the browser of somebody of the staff who may do this."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def operator(db: None) -> Client:  # noqa: ARG001
    """Somebody who may do everything to jobs."""
    return person("ana", *SEES, *ACTS)


@pytest.fixture
def viewer(db: None) -> Client:  # noqa: ARG001
    """Somebody who may only look."""
    return person("vera", *SEES)
