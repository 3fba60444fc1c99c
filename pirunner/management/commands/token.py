"""`manage.py token`: the tokens of agents and programs in a terminal: add, list, rotate, revoke."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError
from django.utils import timezone

from jobs.catalog import allowed
from pirunner.callers import MEANINGS, Scope
from pirunner.commands import FAULTY, OwnerCommand, acting_user, owners_zone
from pirunner.tables import Column
from pirunner.times import iso, parse_moment
from pirunner.tokens.issuing import Terms, issue_token, limits_of, revoke_token, rotate_token, standing_of
from pirunner.tokens.models import Token
from pirunner.wording import read_span, when

_SCOPES = "\n".join(f"  {scope.value:<17} {MEANINGS[scope]}" for scope in Scope)


class Command(OwnerCommand):
    """Make tokens of the API, and look after them."""

    help = "Makes, lists, rotates and revokes the tokens of agents. A token is printed once; only its hash is kept."
    examples = f"""\
  manage.py token                                             all of them
  manage.py token add agent-main --scope jobs:read --scope jobs:write
  manage.py token add ci --scope jobs:write --type ping --per-minute 60 --own --expires 30d
  manage.py token rotate agent-main --grace 1h                the old text is let in for an hour more
  manage.py token revoke ci

scopes:
{_SCOPES}"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done."""
        parser.set_defaults(action="list", json=False)
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        listing = actions.add_parser("list", help="all of them (what is done without an action)")
        adding = actions.add_parser("add", help="make one, and print it once")
        adding.add_argument(
            "--scope", action="append", default=[], choices=[scope.value for scope in Scope], help="may be repeated"
        )
        adding.add_argument("--type", action="append", default=[], help="a job type it may have run; may be repeated")
        adding.add_argument("--per-minute", type=int, metavar="N", help="how many requests it may send")
        adding.add_argument("--own", action="store_true", help="it sees and changes only what it made itself")
        adding.add_argument("--expires", metavar="TIME|SPAN", help="2030-03-10, or 90d from now")
        rotating = actions.add_parser("rotate", help="give it another text, and print that once")
        rotating.add_argument("--grace", metavar="SPAN", help="for how long the old text is let in, too: 1h")
        revoking = actions.add_parser("revoke", help="let it in no more; what it made stays")
        for action in (adding, rotating, revoking):
            action.add_argument("label", metavar="LABEL")
        for action in (listing, adding, rotating, revoking):
            action.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_: Any, action: str | None, **options: Any) -> None:
        """Do it; raises what ``pirunner.tokens.issuing`` raises."""
        getattr(self, f"_{action or 'list'}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        tokens = list(Token.objects.order_by("label"))
        if options["json"]:
            self.print_json({"tokens": [_read(token) for token in tokens]})
        elif tokens:
            zone = owners_zone()
            self.print_table(_COLUMNS, [_row(token, zone) for token in tokens])
        else:
            self.stdout.write(
                "There is no token but RUNNER_API_TOKEN. Try: manage.py token add agent-main --scope jobs:write"
            )

    def _add(self, options: dict[str, Any]) -> None:
        if unknown := sorted(set(options["type"]) - set(allowed())):
            raise CommandError(f"There is no job type {unknown[0]!r} here.", returncode=FAULTY)
        terms = Terms(
            scopes=[Scope(value) for value in options["scope"]],
            job_types=options["type"],
            requests_per_minute=options["per_minute"],
            own_only=options["own"],
            expires_at=_expiry(options["expires"]),
        )
        self._tell_once(*issue_token(options["label"], terms, by=acting_user()), options)

    def _rotate(self, options: dict[str, Any]) -> None:
        grace = _span(options["grace"], "--grace") if options["grace"] else timedelta()
        self._tell_once(*rotate_token(options["label"], grace=grace), options)

    def _revoke(self, options: dict[str, Any]) -> None:
        token = revoke_token(options["label"], by=acting_user())
        if options["json"]:
            self.print_json(_read(token))
        else:
            self.stdout.write(f"{token.label} is revoked; running processes know it within 5 seconds.")

    def _tell_once(self, token: Token, text: str, options: dict[str, Any]) -> None:
        if options["json"]:
            self.print_json({**_read(token), "token": text})
            return
        self.stdout.write(text)
        self.stderr.write(f"This is the token of {token.label}. It is not shown again: only its hash is kept.")


_COLUMNS = [
    Column("label"),
    Column("state"),
    Column("scopes", shrinks=True),
    Column("limits", shrinks=True),
    Column("token"),
    Column("last use"),
    Column("expires"),
]


def _row(token: Token, zone: ZoneInfo) -> list[Any]:
    scopes = ", ".join(scope.value for scope in token.scope_list)
    used, expires = when(token.last_used_at, zone), when(token.expires_at, zone)
    return [token.label, standing_of(token).value, scopes, limits_of(token), token.hint, used, expires]


def _read(token: Token) -> dict[str, Any]:
    return {
        "label": token.label,
        "state": standing_of(token).value,
        "scopes": [scope.value for scope in token.scope_list],
        "jobTypes": token.job_types.split(),
        "requestsPerMinute": token.requests_per_minute,
        "ownOnly": token.own_only,
        "hint": token.hint,
        "createdAt": iso(token.created_at),
        "createdBy": token.created_by,
        "expiresAt": iso(token.expires_at),
        "revokedAt": iso(token.revoked_at),
        "lastUsedAt": iso(token.last_used_at),
    }


def _expiry(written: str | None) -> Any:
    if not written:
        return None
    try:
        return timezone.now() + timedelta(seconds=read_span(written))
    except ValueError:
        pass
    try:
        return parse_moment(written, owners_zone())
    except ValueError:
        message = f"--expires takes a moment like 2030-03-10 or a span like 90d, not {written!r}."
        raise CommandError(message, returncode=FAULTY) from None


def _span(written: str, name: str) -> timedelta:
    try:
        return timedelta(seconds=read_span(written))
    except ValueError as error:
        raise CommandError(f"{name}: {error}", returncode=FAULTY) from None
