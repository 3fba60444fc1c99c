"""The roles: who may do what, at every address of the admin."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from pirunner.roles import EVERYTHING, PERMISSIONS, Role, keep_in_step, may
from pirunner.staff.people import put_role
from schedules.models import Tombstone
from tests.jobs import making
from webhooks.models import Delivery

pytestmark = pytest.mark.usefixtures("committed_db")

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
ACTIONS = {
    "jobs.job": "jobs.change_job",
    "schedules.schedule": "schedules.change_schedule",
    "webhooks.delivery": "webhooks.change_delivery",
    "tokens.token": "tokens.change_token",
    "django_celery_beat.periodictask": "django_celery_beat.change_periodictask",
}
"""What the actions of a list need, besides deleting."""


def member(role: Role | None) -> User:
    person = User.objects.create_user(f"a-{role}", password="p", is_staff=True)
    put_role(person, role)
    return person


@pytest.fixture(params=list(Role))
def role(request: pytest.FixtureRequest) -> Role:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def person(role: Role) -> User:
    return member(role)


@pytest.fixture
def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def named(permission: str) -> bool:
    label, _, codename = permission.partition(".")
    return Permission.objects.filter(content_type__app_label=label, codename=codename).exists()


def test_every_permission_of_the_table_exists() -> None:
    listed = {permission for permissions in PERMISSIONS.values() for permission in permissions} - {EVERYTHING}

    assert [permission for permission in sorted(listed) if not named(permission)] == []


def test_each_role_may_do_what_the_one_before_may() -> None:
    assert set(PERMISSIONS[Role.VIEWER]) < set(PERMISSIONS[Role.OPERATOR])
    assert not [each for each in PERMISSIONS[Role.VIEWER] if ".view_" not in each]


def test_the_groups_hold_what_the_table_says(role: Role, person: User) -> None:
    held = person.get_all_permissions()

    if role is Role.ADMIN:
        assert len(held) == Permission.objects.count()
    else:
        assert held == set(PERMISSIONS[role])


def test_what_was_changed_by_hand_is_put_right(role: Role) -> None:
    group = Group.objects.get(name=role.value)
    before = set(group.permissions.values_list("pk", flat=True))
    group.permissions.clear()
    group.permissions.add(*Permission.objects.filter(codename="delete_user"))

    for app in apps.get_app_configs():
        keep_in_step(role, app.label, using="default")

    assert set(group.permissions.values_list("pk", flat=True)) == before


def addresses(model: Any) -> Iterator[tuple[str, str]]:
    """The addresses that Django gives each model, with the act whose permission they need."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    yield reverse(f"{name}_changelist"), "view"
    yield reverse(f"{name}_add"), "add"
    yield reverse(f"{name}_change", args=["1"]), "change"
    yield reverse(f"{name}_delete", args=["1"]), "delete"


def test_no_address_does_what_the_role_may_not(client_of: Client, role: Role) -> None:
    for model in MODELS:
        label, name = model._meta.app_label, model._meta.model_name
        before = model._default_manager.count() if model._meta.managed else 0

        for address, act in addresses(model):
            allowed = may(role, f"{label}.{act}_{name}")
            if not allowed:
                assert client_of.post(address, {"post": "yes"}).status_code in {302, 403, 404, 405}, address
            if not may(role, f"{label}.view_{name}") and not allowed:
                assert client_of.get(address).status_code in {302, 403}, address

        assert not model._meta.managed or model._default_manager.count() == before


def test_a_list_offers_no_action_that_the_role_may_not_do(person: User, role: Role) -> None:
    request = RequestFactory().get("/")
    request.user = person
    for model in MODELS:
        label, name = model._meta.app_label, model._meta.model_name
        offered = set(admin.site._registry[model].get_actions(request))

        if "delete_selected" in offered:
            assert may(role, f"{label}.delete_{name}")
        if offered - {"delete_selected"}:
            assert may(role, ACTIONS[f"{label}.{name}"]), offered


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        ("/admin/webhooks/delivery/", {"action": "replay", "confirmed": "1"}),
        ("/admin/schedules/tombstone/", {"action": "delete_selected", "post": "yes"}),
    ],
)
def test_an_action_that_is_posted_does_nothing_for_a_viewer(
    client_of: Client, role: Role, place: str, fields: dict[str, str]
) -> None:
    job = making.submit()
    delivery = Delivery.objects.create(
        event_id="e", job_id=job.pk, event="job.completed", url="https://agent.example/", body="{}",
        host="agent.example", state="dead", created_at=timezone.now(),
    )  # fmt: skip
    stone = Tombstone.objects.create(name="gone", by="ana", at=timezone.now())
    number = {"delivery": delivery.pk, "tombstone": stone.pk}[place.split("/")[3]]

    client_of.post(place, {**fields, "_selected_action": str(number), "index": "0"})

    delivery.refresh_from_db()
    done = delivery.state == "pending" or not Tombstone.objects.exists()
    assert done == (role is not Role.VIEWER)


def test_a_stranger_is_sent_to_the_login() -> None:
    for model in MODELS:
        for address, _ in addresses(model):
            answer = Client().post(address)
            assert answer.status_code == 302
            assert answer["Location"].startswith("/admin/login/")
