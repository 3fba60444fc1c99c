"""What is done to people: added, given a role and a password, shut out. Nobody is deleted: the audit names them."""

import secrets

from django.contrib.auth.models import Group, User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from pirunner.errors import Conflict, Fault, InvalidPayload, NotFound
from pirunner.roles import Role
from pirunner.staff.throttle import forgive

OWNER = "owner"
"""What stands for the role of a superuser, as the first start makes one: may do everything, whatever the groups say."""
_PASSWORD_BYTES = 15


class NameTaken(Conflict):
    """There is a person of this name already."""

    code = "name_taken"


class LastOwner(Conflict):
    """Somebody must be left who may do everything."""

    code = "last_owner"


def add_person(name: str, role: Role) -> tuple[User, str]:
    """Make a person who may log in; return them and the password. Raises ``InvalidPayload`` or ``NameTaken``."""
    if faults := _name_faults(name):
        raise InvalidPayload(faults)
    password = new_password()
    try:
        with transaction.atomic():
            person = User.objects.create_user(name, password=password, is_staff=True)
            put_role(person, role)
    except IntegrityError:
        raise NameTaken(f"There is {name!r} already; 'staff password' and 'staff role' change who is there.") from None
    return person, password


def put_role(person: User, role: Role | None) -> None:
    """Give a person a role instead of the one before; other groups stay."""
    roles = {group.name: group for group in Group.objects.filter(name__in=[each.value for each in Role])}
    person.groups.remove(*(group for name, group in roles.items() if role is None or name != role.value))
    if role is not None:
        person.groups.add(roles.get(role.value) or Group.objects.get(name=role.value))


def role_of(person: User) -> Role | None:
    """Return the role of a person, the mightiest if the groups give several."""
    if person.pk is None:
        return None
    held = {group.name for group in person.groups.all()}
    return next((role for role in reversed(Role) if role.value in held), None)


def role_told(person: User) -> str:
    """Return the role in a word."""
    if person.is_superuser:
        return OWNER
    role = role_of(person)
    return role.value if role else "none"


def reset_password(name: str) -> tuple[User, str]:
    """Give a person a new password, which ends their sessions, and unlock the login. Raises ``NotFound``."""
    person, password = get_person(name), new_password()
    person.set_password(password)
    person.is_active = True
    person.save()
    forgive(name)
    return person, password


def shut_out(name: str) -> User:
    """Let a person log in no more, and end their sessions. Raises ``NotFound`` or ``LastOwner``."""
    with transaction.atomic():
        person = get_person(name)
        if is_last_owner(person):
            raise LastOwner(f"{name!r} is the last owner; nobody could add people any more.")
        person.is_active = False
        person.set_unusable_password()
        person.save()
    return person


def get_person(name: str) -> User:
    """Return the person of a name; raises ``NotFound``."""
    person = User.objects.filter(username=name).first()
    if person is None:
        raise NotFound(f"There is nobody called {name[:80]!r}; 'manage.py staff' lists everybody.")
    return person


def is_last_owner(person: User) -> bool:
    """Return whether no other active superuser would be left without this one."""
    owners = User.objects.filter(is_superuser=True, is_active=True)
    return person.is_superuser and person.is_active and not owners.exclude(pk=person.pk).exists()


def new_password() -> str:
    """Return a password that nobody guesses."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def _name_faults(name: str) -> list[Fault]:
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError as error:
        return [Fault(("name",), "invalid_name", str(error.messages[0]))]
    if not 1 <= len(name) <= 150:
        return [Fault(("name",), "invalid_name", "A name has 1 to 150 characters.")]
    return []
