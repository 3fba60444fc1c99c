"""The schedule that ``CRYPTO_BRIEF_CRON`` keeps: made, changed, paused and resumed as the variable says."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from schedules.checks import check_brief_cron
from schedules.models import AuditEntry, Schedule, Tombstone
from schedules.rules import Misfire
from schedules.services import Changes, delete_schedule, edit_schedule, pause_schedule, resume_schedule
from schedules.standing import BY, NAME, keep
from tests.schedules.making import cron, every, make

pytestmark = pytest.mark.usefixtures("committed_db")

Starts = Callable[[str], int]


@pytest.fixture
def starts_with(owner: Any) -> Starts:
    """Start the clock with a value of the variable; returns whether anything was changed."""
    owner.TIME_ZONE = "Europe/Berlin"

    def start(value: str) -> int:
        owner.CRYPTO_BRIEF_CRON = value
        return keep(timezone.now())

    return start


def brief() -> Schedule:
    return Schedule.objects.kept().get(name=NAME)


def actions() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "by"))


# -- as the variable says -----------------------------------------------------------------------------------------


def test_it_is_made_in_the_owner_s_zone(starts_with: Starts) -> None:
    assert starts_with("0 9 * * *") == 1

    schedule = brief()
    assert (schedule.job_type, schedule.input, schedule.cron, schedule.zone) == (NAME, {}, "0 9 * * *", "Europe/Berlin")
    assert (schedule.enabled, schedule.callback_url) == (True, "")  # empty: CALLBACK_URL
    assert schedule.timing == {"cron": "0 9 * * *", "tz": "Europe/Berlin"}
    assert actions() == [("created", BY)]


def test_a_restart_changes_nothing(starts_with: Starts) -> None:
    starts_with("0 9 * * *")

    assert starts_with("0 9 * * *") == 0
    assert brief().version == 1


@pytest.mark.parametrize("change", [{"cron": "30 7 * * 1-5"}, {"zone": "Asia/Kolkata"}])
def test_a_change_of_the_variable_or_the_zone_changes_it(
    change: dict[str, str], starts_with: Starts, owner: Any
) -> None:
    starts_with("0 9 * * *")
    pk = brief().pk
    owner.TIME_ZONE = change.get("zone", "Europe/Berlin")

    assert starts_with(change.get("cron", "0 9 * * *")) == 1

    assert brief().pk == pk
    assert (brief().cron, brief().zone) == (change.get("cron", "0 9 * * *"), change.get("zone", "Europe/Berlin"))
    assert actions()[1:] == [("edited", BY)]


def test_nothing_is_made_without_the_variable(starts_with: Starts) -> None:
    assert starts_with("") == 0
    assert not Schedule.objects.exists()


def test_it_is_paused_when_the_variable_is_cleared_and_resumed_when_it_is_set_again(starts_with: Starts) -> None:
    starts_with("0 9 * * *")

    assert starts_with("") == 1
    assert not brief().enabled
    assert starts_with("") == 0

    assert starts_with("0 9 * * *") == 1
    assert brief().enabled
    assert brief().next_due_at


def test_a_cleared_one_may_come_back_with_another_value(starts_with: Starts) -> None:
    starts_with("0 9 * * *")
    starts_with("")

    starts_with("0 10 * * *")

    assert (brief().enabled, brief().cron) == (True, "0 10 * * *")


# -- what the owner did survives ----------------------------------------------------------------------------------


def test_a_pause_survives_a_restart_and_a_change(starts_with: Starts) -> None:
    starts_with("0 9 * * *")
    pause_schedule(brief().pk, by="ann")

    starts_with("0 9 * * *")
    assert not brief().enabled

    starts_with("0 10 * * *")
    assert (brief().enabled, brief().cron) == (False, "0 10 * * *")


def test_a_pause_survives_that_the_variable_was_cleared_for_some_time(starts_with: Starts) -> None:
    starts_with("0 9 * * *")
    pause_schedule(brief().pk, by="ann")

    starts_with("")
    starts_with("0 9 * * *")

    assert not brief().enabled


def test_a_resume_of_a_cleared_one_survives(starts_with: Starts) -> None:
    starts_with("0 9 * * *")
    starts_with("")
    resume_schedule(brief().pk, by="ann")

    assert starts_with("") == 0
    assert brief().enabled


def test_an_edit_survives_until_the_variable_changes(starts_with: Starts) -> None:
    starts_with("0 9 * * *")
    timing = cron("0 12 * * *", misfire=Misfire.SKIP)
    edit_schedule(brief().pk, Changes(fields={"input": {"maxItems": 9}}, timing=timing), by="ann")

    starts_with("0 9 * * *")
    assert brief().cron == "0 12 * * *"

    starts_with("0 10 * * *")
    assert (brief().cron, brief().input) == ("0 10 * * *", {"maxItems": 9})


def test_what_a_person_deleted_stays_deleted(starts_with: Starts) -> None:
    starts_with("0 9 * * *")
    delete_schedule(brief().pk, by="ann", in_person=True)

    assert starts_with("0 9 * * *") == 0
    assert starts_with("0 10 * * *") == 0
    assert not Schedule.objects.kept().exists()
    assert Tombstone.objects.exists()


def test_what_a_program_deleted_comes_back(starts_with: Starts) -> None:
    starts_with("0 9 * * *")
    delete_schedule(brief().pk, by="agent")

    assert starts_with("0 9 * * *") == 1
    assert brief().enabled


# -- what is not ours ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0 9 * * *", ""])
def test_somebody_else_s_schedule_of_that_name_is_left_alone(value: str, starts_with: Starts) -> None:
    make(every(3600), name=NAME)

    assert starts_with(value) == 0
    assert (brief().every_seconds, brief().enabled, brief().version) == (3600, True, 1)


def test_it_is_not_made_where_the_type_is_not_allowed(starts_with: Starts, owner: Any) -> None:
    owner.RUNNER_JOBS = ("ping",)

    assert starts_with("0 9 * * *") == 0
    assert not Schedule.objects.exists()

    owner.RUNNER_JOBS = ()
    assert starts_with("0 9 * * *") == 1


# -- the system check ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", "0 9 * * *", "30 2 L * MON-FRI"])
def test_the_check_takes_crons_and_nothing(value: str, owner: Any) -> None:
    owner.CRYPTO_BRIEF_CRON = value

    assert check_brief_cron() == []


@pytest.mark.parametrize("value", ["daily", "0 25 * * *", "0 0 9 * * *", "0 0 30 2 *"])
def test_the_check_names_what_is_no_cron(value: str, owner: Any) -> None:
    owner.CRYPTO_BRIEF_CRON = value

    (error,) = check_brief_cron()

    assert error.id == "schedules.E001"
    assert error.msg.startswith("CRYPTO_BRIEF_CRON ")
    assert error.hint
