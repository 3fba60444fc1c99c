"""People: in the terminal, and on their pages."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client

from pirunner.roles import Role
from pirunner.staff.people import put_role, role_told
from tests.pirunner.command import run

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def owner_client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner", password="o"))
    return client


def fields_of(person: User, **changed: object) -> dict[str, object]:
    fields = {
        "username": person.username,
        "is_active": "on",
        "role": "",
        "first_name": "",
        "last_name": "",
        "email": "",
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def test_a_person_is_added_with_a_password_that_is_printed_once() -> None:
    ran = run("staff", "add", "ana", "--role", "operator")

    assert ran.code == 0
    assert Client().login(username="ana", password=ran.lines[0])
    assert role_told(User.objects.get(username="ana")) == "operator"
    assert ran.lines[0] not in ran.err + run("staff").out


def test_a_role_replaces_the_one_before_and_leaves_other_groups() -> None:
    run("staff", "add", "ana", "--role", "admin")
    ana = User.objects.get(username="ana")
    night, _ = Group.objects.get_or_create(name="night shift")
    ana.groups.add(night)

    run("staff", "role", "ana", "viewer")

    assert set(ana.groups.values_list("name", flat=True)) == {"viewer", "night shift"}
    night.delete()


def test_who_is_removed_is_out_at_once_and_stays_in_the_list() -> None:
    password = run("staff", "add", "ana").lines[0]
    client = Client()
    client.login(username="ana", password=password)
    assert client.get("/admin/auth/user/").status_code == 403

    assert run("staff", "remove", "ana").code == 0

    assert client.get("/admin/auth/user/").status_code == 302
    (listed,) = run("staff", "list", "--json").json()["staff"]
    assert (listed["name"], listed["role"], listed["active"]) == ("ana", "viewer", False)


def test_the_last_owner_cannot_be_removed() -> None:
    User.objects.create_superuser("only", password="o")

    ran = run("staff", "remove", "only")

    assert ran.code == 1
    assert "last owner" in ran.err


@pytest.mark.parametrize("arguments", [("password", "nobody"), ("role", "nobody", "viewer"), ("remove", "nobody")])
def test_nobody_is_not_found(arguments: tuple[str, ...]) -> None:
    ran = run("staff", *arguments)

    assert ran.code == 1
    assert "nobody called 'nobody'" in ran.err


def test_a_person_is_made_on_the_page_with_a_role(owner_client: Client) -> None:
    fields = {"username": "ana", "role": "operator", "password1": "quite-a-long-one", "password2": "quite-a-long-one"}

    owner_client.post("/admin/auth/user/add/", fields)

    ana = User.objects.get(username="ana")
    assert (ana.is_staff, ana.is_superuser, role_told(ana)) == (True, False, "operator")
    assert LogEntry.objects.get().object_repr == "ana"


def test_the_role_is_changed_on_the_page(owner_client: Client) -> None:
    ana = User.objects.create_user("ana", is_staff=True)
    put_role(ana, Role.ADMIN)

    answer = owner_client.post(f"/admin/auth/user/{ana.pk}/change/", fields_of(ana, role="viewer"))

    assert answer.status_code == 302
    assert role_told(User.objects.get(pk=ana.pk)) == "viewer"


def test_the_last_owner_stays_one(owner_client: Client) -> None:
    owner = User.objects.get(username="owner")

    answer = owner_client.post(f"/admin/auth/user/{owner.pk}/change/", fields_of(owner, is_active=None))

    assert "This is the last owner" in answer.content.decode()
    owner.refresh_from_db()
    assert owner.is_active
    assert owner.is_superuser


def test_an_admin_makes_no_owner_and_changes_none(owner_client: Client) -> None:  # noqa: ARG001  (there is one)
    ana = User.objects.create_user("ana", is_staff=True)
    put_role(ana, Role.ADMIN)
    client = Client()
    client.force_login(ana)
    owner = User.objects.get(username="owner")

    client.post(f"/admin/auth/user/{ana.pk}/change/", fields_of(ana, role="admin", is_superuser="on"))
    password = client.get(f"/admin/auth/user/{owner.pk}/password/")

    assert not User.objects.get(pk=ana.pk).is_superuser
    assert password.status_code == 403
    assert client.post(f"/admin/auth/user/{owner.pk}/change/", fields_of(owner)).status_code == 403


def test_nobody_is_deleted_and_no_role_changed(owner_client: Client) -> None:
    ana = User.objects.create_user("ana", is_staff=True)
    role = Group.objects.get(name="viewer")

    for address in (f"/admin/auth/user/{ana.pk}/delete/", f"/admin/auth/group/{role.pk}/delete/"):
        assert owner_client.post(address, {"post": "yes"}).status_code == 403
    assert owner_client.post(f"/admin/auth/group/{role.pk}/change/", {"name": "x"}).status_code == 403
