"""Services by URL, with real requests to loopback through Apprise."""

import logging
from collections.abc import Callable

import pytest

from tests.webhooks.loopback import Server
from tests.webhooks.relay.conftest import answer, body_of
from webhooks.relay.outcome import Sent
from webhooks.relay.services_by_url import send

Serve = Callable[..., Server]
PASSWORD = "pa55word"


def test_a_text_arrives_as_it_is(serve: Serve) -> None:
    server = serve(answer(200))

    assert send(f"json://127.0.0.1:{server.port}/hook", "⏰ <b>čaj</b>\n& more") == Sent()

    (request,) = server.requests
    assert request.startswith(b"POST /hook")
    assert body_of(request)["message"] == "⏰ <b>čaj</b>\n& more"


@pytest.mark.parametrize(("status", "error"), [(503, "The service answered 503."), (401, "The service answered 401.")])
def test_a_refusal_gives_its_status(serve: Serve, status: int, error: str) -> None:
    server = serve(answer(status))

    assert send(f"json://127.0.0.1:{server.port}", "x") == Sent(error)


def test_a_service_that_is_away_is_an_error() -> None:
    assert send("json://127.0.0.1:9", "x") == Sent("The service did not take it.")


@pytest.mark.parametrize("url", ["nonsense://x", "json://", "mailto://"])
def test_a_url_that_names_no_service_is_an_error(url: str) -> None:
    assert send(url, "x") == Sent("Apprise does not understand this URL.")


def test_nothing_of_the_url_is_logged_or_told(
    serve: Serve, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(answer(500))

    error = send(f"json://ana:{PASSWORD}@127.0.0.1:{server.port}/{PASSWORD}?+x={PASSWORD}", "x").error
    away = send(f"json://ana:{PASSWORD}@127.0.0.1:9/{PASSWORD}", "x").error

    assert server.requests
    assert PASSWORD not in error + away + caplog.text + "".join(capfd.readouterr())


def test_a_text_that_is_too_long_for_a_service_is_cut(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    import apprise

    monkeypatch.setattr(apprise.Apprise.instantiate("json://127.0.0.1").__class__, "body_maxlen", 20)
    server = serve(answer(200))

    assert send(f"json://127.0.0.1:{server.port}", "a" * 100) == Sent()

    (request,) = server.requests
    assert len(body_of(request)["message"]) == 20
