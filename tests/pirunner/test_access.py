"""The bearer token."""

import pytest

from pirunner.access import same_secret
from tests.parts import TOKEN, Api

PLACE = "/job-types"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_right_token_is_let_in(api: Api, scheme: str) -> None:
    assert api.get(PLACE, Authorization=f"{scheme} {TOKEN}").status_code == 200


def test_blanks_around_the_token_do_not_matter(api: Api) -> None:
    assert api.get(PLACE, Authorization=f"Bearer   {TOKEN} ").status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer wrong",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN} {TOKEN}",
        f"Basic {TOKEN}",
        f"Token {TOKEN}",
        TOKEN,
        "Bearer \x00",
        "Bearer ÿþ",
        "Bearer " + "x" * 100_000,
    ],
)
def test_anything_else_is_not(api: Api, authorization: str) -> None:
    answer = api.get(PLACE, Authorization=authorization)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"] == "unauthorized"


def test_the_answer_does_not_tell_the_token(api: Api) -> None:
    assert TOKEN.encode() not in api.get(PLACE, Authorization="Bearer wrong").content


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer "])
def test_an_empty_setting_lets_nobody_in(api: Api, owner: object, authorization: str) -> None:
    owner.RUNNER_API_TOKEN = ""  # type: ignore[attr-defined]

    assert api.get(PLACE, Authorization=authorization).status_code == 401


@pytest.mark.django_db
def test_health_needs_no_token(api: Api) -> None:
    assert api.get("/health", Authorization="").status_code in {200, 503}


@pytest.mark.parametrize(
    ("given", "expected", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("", "", False),
        ("a", "", False),
        ("", "a", False),
        ("a", "aa", False),
        ("é", "é", True),
        ("\udcff", "a", False),
    ],
)
def test_two_secrets(given: str, expected: str, same: bool) -> None:
    assert same_secret(given, expected) is same
