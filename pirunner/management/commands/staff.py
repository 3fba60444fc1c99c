"""`manage.py staff`: the people of the admin in a terminal: add, list, role, password, remove."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User

from pirunner.commands import OwnerCommand, owners_zone
from pirunner.roles import MEANINGS, Role
from pirunner.staff.people import add_person, get_person, put_role, reset_password, role_told, shut_out
from pirunner.tables import Column
from pirunner.times import iso
from pirunner.wording import when

_ROLES = "\n".join(f"  {role.value:<9} {MEANINGS[role]}" for role in Role)


class Command(OwnerCommand):
    """Look after the people of the admin."""

    help = "Adds people to the admin, gives them roles and passwords, and shuts them out."
    examples = f"""\
  manage.py staff                            everybody
  manage.py staff add ana --role operator    prints a password, once
  manage.py staff role ana viewer
  manage.py staff password ana               a new one, and the login is unlocked
  manage.py staff remove ana                 she cannot log in any more; the audit keeps her name

roles:
{_ROLES}"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done."""
        parser.set_defaults(action="list", json=False)
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        actions.add_parser("list", help="everybody (what is done without an action)")
        adding = actions.add_parser("add", help="make a person, and print the password once")
        adding.add_argument("name", metavar="NAME")
        adding.add_argument("--role", choices=[role.value for role in Role], default=Role.VIEWER.value)
        changing = actions.add_parser("role", help="give a person another role")
        changing.add_argument("name", metavar="NAME")
        changing.add_argument("role", choices=[role.value for role in Role])
        for name, told in _ACTIONS.items():
            actions.add_parser(name, help=told).add_argument("name", metavar="NAME")
        for action in actions.choices.values():
            action.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_: Any, action: str | None, **options: Any) -> None:
        """Do it; raises what ``pirunner.staff.people`` raises."""
        getattr(self, f"_{action or 'list'}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        people = list(User.objects.prefetch_related("groups").order_by("username"))
        if options["json"]:
            self.print_json({"staff": [_read(person) for person in people]})
            return
        zone = owners_zone()
        rows = [
            [each.username, role_told(each), "yes" if each.is_active else "no", when(each.last_login, zone)]
            for each in people
        ]
        self.print_table([Column("name"), Column("role"), Column("may log in"), Column("last login")], rows)

    def _add(self, options: dict[str, Any]) -> None:
        self._tell_once(*add_person(options["name"], Role(options["role"])), options)

    def _password(self, options: dict[str, Any]) -> None:
        self._tell_once(*reset_password(options["name"]), options)

    def _role(self, options: dict[str, Any]) -> None:
        person = get_person(options["name"])
        put_role(person, Role(options["role"]))
        owner = " It is an owner besides, who may do everything." if person.is_superuser else ""
        self._tell(person, f"{person.username} is {options['role']} now.{owner}", options)

    def _remove(self, options: dict[str, Any]) -> None:
        person = shut_out(options["name"])
        self._tell(
            person, f"{person.username} cannot log in any more; 'staff password' would let them in again.", options
        )

    def _tell(self, person: User, sentence: str, options: dict[str, Any]) -> None:
        if options["json"]:
            self.print_json(_read(person))
        else:
            self.stdout.write(sentence)

    def _tell_once(self, person: User, password: str, options: dict[str, Any]) -> None:
        if options["json"]:
            self.print_json({**_read(person), "password": password})
            return
        self.stdout.write(password)
        self.stderr.write(f"This is the password of {person.username} ({role_told(person)}). It is not shown again.")


_ACTIONS = {
    "password": "give a person a new password, print it once, and unlock the login",
    "remove": "let a person log in no more; nobody is deleted, because the audit names them",
}


def _read(person: User) -> dict[str, Any]:
    return {
        "name": person.username,
        "role": role_told(person),
        "active": person.is_active,
        "lastLoginAt": iso(person.last_login),
    }
