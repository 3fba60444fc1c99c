"""`manage.py token`."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pirunner.tokens.models import Token
from tests.parts import Api
from tests.pirunner.command import run

pytestmark = pytest.mark.usefixtures("committed_db")


def test_a_token_is_printed_alone_and_works(api: Api) -> None:
    ran = run("token", "add", "agent", "--scope", "jobs:read")

    assert ran.code == 0
    (text,) = ran.lines
    assert api.get("/jobs", Authorization=f"Bearer {text}").status_code == 200
    assert text not in run("token").out + run("token", "list", "--json").out


def test_its_limits_are_kept() -> None:
    run(
        *("token", "add", "ci", "--scope", "jobs:write", "--type", "ping", "--per-minute", "60", "--own"),
        *("--expires", "30d"),
    )

    made = Token.objects.get()
    assert (made.job_types, made.requests_per_minute, made.own_only) == ("ping", 60, True)
    assert made.expires_at
    assert abs(made.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_the_list_is_a_table_or_json() -> None:
    run("token", "add", "agent", "--scope", "jobs:read", "--own")

    assert run("token").lines[0].split() == ["label", "state", "scopes", "limits", "token", "last", "use", "expires"]
    (listed,) = run("token", "list", "--json").json()["tokens"]
    assert (listed["label"], listed["state"], listed["scopes"], listed["ownOnly"]) == (
        *("agent", "valid", ["jobs:read"]),
        True,
    )


def test_rotate_and_revoke(api: Api) -> None:
    old = run("token", "add", "agent", "--scope", "jobs:read").lines[0]
    new = run("token", "rotate", "agent", "--json").json()["token"]
    assert api.get("/jobs", Authorization=f"Bearer {old}").status_code == 401
    assert api.get("/jobs", Authorization=f"Bearer {new}").status_code == 200

    assert run("token", "revoke", "agent").code == 0

    assert api.get("/jobs", Authorization=f"Bearer {new}").status_code == 401
    assert run("token", "rotate", "agent").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "a b", "--scope", "admin"), 2, "label"),
        (("add", "agent"), 2, "scopes"),
        (("add", "agent", "--scope", "admin", "--own"), 2, "ownOnly"),
        (("add", "agent", "--scope", "admin", "--expires", "soon"), 2, "--expires"),
        (("add", "agent", "--scope", "jobs:write", "--type", "no-such"), 2, "no-such"),
        (("revoke", "nobody"), 1, "nobody"),
    ],
)
def test_faults_are_sentences(arguments: tuple[str, ...], code: int, said: str) -> None:
    ran = run("token", *arguments)

    assert ran.code == code
    assert said in ran.err
    assert not Token.objects.exists()
