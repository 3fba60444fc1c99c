"""The page of systemd's installer: what it says in each state, and to whom."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from installer.files import Folder
from installer.status import Item, Stage, Status, write_status
from tests.parts import Api
from tests.schedules.admin.people import ana, people, text_of
from tests.schedules.calls import body, row

__all__ = ["ana", "people"]
pytestmark = pytest.mark.usefixtures("committed_db")

PAGE = "/admin/installer/"


@pytest.fixture
def schedule_id(api: Api) -> str:
    """A schedule of systemd's."""
    return str(api.put("/schedules/bins", body(scheduleBackend="systemd")).json()["jobId"])


def tell(settings: Any, *, ago: float = 0.0, **fields: Any) -> None:
    """Write what the installer would."""
    status = Status(**{"last_sync_at": timezone.now() - timedelta(seconds=ago), "apply": True, **fields})
    with Folder(settings.RUNNER_DATA_DIR) as folder:
        write_status(folder, status)


def test_where_no_schedule_is_systemds_nothing_is_needed(ana: Client) -> None:
    told = text_of(ana.get(PAGE))

    assert "not needed" in told
    assert "No schedule is systemd's" in told


def test_an_installer_that_was_never_seen_is_to_be_set_up(ana: Client, schedule_id: str) -> None:
    told = text_of(ana.get(PAGE))

    assert "never seen" in told
    assert "not taken up yet" in told
    assert "Set it up" in told
    assert row(schedule_id).name in told


def test_a_timer_is_shown_with_its_next_elapse_and_a_refusal_with_its_reason(
    ana: Client, schedule_id: str, settings: Any
) -> None:
    refused = Item(state=Stage.REFUSED, reason="not_expressible", message="There is no such calendar.")
    stray = Item(state=Stage.INSTALLED, next_elapse_at=timezone.now() + timedelta(hours=1))
    tell(settings, manifests={schedule_id: refused, "sysd-gone": stray}, warnings=("Look out.",))

    told = text_of(ana.get(PAGE))

    for words in ("in touch", "1 refused", "There is no such calendar.", "Look out.", "sysd-gone", "applied"):
        assert words in told
    assert "Set it up" not in told


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"ago": 3600.0}, "not been heard of for more than 15 minutes"),
        ({"apply": False}, "It runs dry"),
        ({"problem": "The key is another one."}, "The key is another one."),
    ],
)
@pytest.mark.usefixtures("schedule_id")
def test_what_is_wrong_is_said(ana: Client, settings: Any, fields: dict[str, Any], said: str) -> None:
    tell(settings, **fields)

    assert said in text_of(ana.get(PAGE))


@pytest.fixture
def stranger() -> Iterator[Client]:
    """One of the staff who may see nothing."""
    user = User.objects.create_user("eve", is_staff=True)
    client = Client()
    client.force_login(user)
    yield client
    user.delete()


def test_who_may_not_see_schedules_does_not_see_it(stranger: Client) -> None:
    assert stranger.get(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302
