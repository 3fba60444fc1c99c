"""Every call of the API declares its scope."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from pirunner.api import ApiView
from pirunner.callers import Caller, Scope
from pirunner.errors import Forbidden

OPEN = {"/health", "/internal/systemd/trigger/<str:schedule_id>"}
"""What needs no token, or has one of its own."""
METHODS = ("get", "post", "put", "patch", "delete")


def views(patterns: list[Any], above: str = "/") -> Iterator[tuple[str, type[ApiView]]]:
    for pattern in patterns:
        place = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, place)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "cls", None)
            if isinstance(view, type) and issubclass(view, ApiView):
                yield place, view


VIEWS = dict(views(get_resolver().url_patterns))


def test_the_walk_finds_the_calls() -> None:
    assert {"/jobs", "/events", "/schedules/<str:reference>", "/deliveries/replay", "/health"} <= set(VIEWS)
    assert len(VIEWS) > 20


def test_only_those_that_are_open_on_purpose_ask_for_no_token() -> None:
    assert {place for place, view in VIEWS.items() if not view.authentication_classes} == OPEN


@pytest.mark.parametrize("place", sorted(set(VIEWS) - OPEN))
def test_each_method_declares_a_scope(place: str) -> None:
    view = VIEWS[place]
    handled = {name.upper() for name in METHODS if hasattr(view, name) and name in view.http_method_names}

    assert set(view.scopes) == handled


def test_what_declares_none_is_for_admin() -> None:
    with pytest.raises(Forbidden, match="'admin'"):
        _check(Caller("agent", frozenset(set(Scope) - {Scope.ADMIN})))
    _check(Caller("ruler", frozenset({Scope.ADMIN})))


def _check(caller: Caller) -> None:
    class Undeclared(ApiView):
        def get(self, request: Any) -> None:
            """Nobody gets here."""

    request = RequestFactory().get("/")
    request.user = caller  # type: ignore[assignment]
    Undeclared().check_permissions(request)  # type: ignore[arg-type]
