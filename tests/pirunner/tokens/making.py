"""Tokens, for tests."""

from typing import Any

from pirunner.callers import Scope
from pirunner.tokens.issuing import Terms, issue_token


def token(*scopes: Scope, label: str = "agent", **terms: Any) -> dict[str, str]:
    """Make a token; return the header that sends it."""
    _, text = issue_token(label, Terms(scopes=scopes or tuple(Scope), **terms), by="tests")
    return {"Authorization": f"Bearer {text}"}
