"""The owner's language model: what it is asked, and every way in which it can fail."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import BudgetExceeded, DoNotRetry, JobFailed, RetryAfter
from jobs.language_model import (
    ModelAnswerUnusable,
    ModelBusy,
    ModelNotConfigured,
    ModelNotFound,
    ModelRefused,
    ModelRejected,
    ModelTimeout,
    ModelUnreachable,
    ask,
)
from tests.jobs.tiny_context import TinyContext
from tests.parts import owner, rings
from tests.webhooks.conftest import serve
from tests.webhooks.loopback import Server

__all__ = ["owner", "rings", "serve"]
Configure = Callable[..., Server]


def answer(status: int = 200, body: Any = None, *headers: str) -> bytes:
    """Return an answer of a server with a JSON body, or with bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


def said(text: Any, tokens: Any = 321) -> dict[str, Any]:
    """Return what OpenAI's API answers."""
    return {"choices": [{"message": {"role": "assistant", "content": text}}], "usage": {"total_tokens": tokens}}


@pytest.fixture
def model(owner: Any, serve: Any) -> Configure:
    """Configures a model that answers as told."""

    def start(*given: Any) -> Server:
        server: Server = serve(*given)
        owner.LLM_BASE_URL, owner.LLM_MODEL = f"{server.url}v1/", "llama3"
        owner.LLM_API_KEY, owner.LLM_TIMEOUT_SECONDS = "sk-secret", 20
        return server

    return start


def test_it_asks_as_openai_is_asked_and_settles_what_it_cost(model: Configure, tmp_path: Path) -> None:
    server = model(answer(200, said("<think>Hm.</think>\nTwo towns. ")))
    context = TinyContext(tmp_path)

    assert ask(context, "Summarise.", "A text.").text == "Two towns."

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"Authorization: Bearer sk-secret" in head
    assert json.loads(body) == {
        "model": "llama3",
        "messages": [{"role": "system", "content": "Summarise."}, {"role": "user", "content": "A text."}],
        "stream": False,
    }
    assert (context.tokens, context.reserved) == (321, [])


def test_one_that_counts_no_tokens_is_taken_to_cost_what_was_reserved(model: Configure, tmp_path: Path) -> None:
    model(answer(200, said("Yes.", tokens="many")))
    context = TinyContext(tmp_path)

    ask(context, "", "A text.")

    assert context.tokens > 2000


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        (answer(401, {"error": {"message": "Bad key"}}), ModelRefused, "answered 401: Bad key Check LLM_API_KEY"),
        (answer(404, {"error": "model 'llama3' not found"}), ModelNotFound, r"not found Check LLM_MODEL \(llama3\)"),
        (answer(429, {}, "Retry-After: 7"), ModelBusy, "answered 429"),
        (answer(429, {"error": {"message": "You exceeded your current quota"}}), ModelRefused, "nothing left to spend"),
        (answer(400, {"error": {"message": "too long"}}), ModelRejected, "too long"),
        (answer(302, {}, "Location: http://169.254.169.254/"), ModelRejected, "answered 302"),
        (answer(500, b"\xff<html>"), ModelUnreachable, "answered 500"),
        (answer(200, b"<html>"), ModelAnswerUnusable, "something else"),
        (answer(200, {"choices": []}), ModelAnswerUnusable, "something else"),
        (answer(200, b"[" * 100_000), ModelAnswerUnusable, "something else"),
        (answer(200, said(None)), ModelAnswerUnusable, "empty answer"),
        (answer(200, said("<think>only thoughts</think>")), ModelAnswerUnusable, "empty answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", ModelUnreachable, "could not be reached"),
    ],
)
def test_every_failure_has_a_class_and_says_what_to_do(
    model: Configure, tmp_path: Path, given: bytes, error: type[JobFailed], sentence: str
) -> None:
    model(given)

    with pytest.raises(error, match=sentence) as caught:
        ask(TinyContext(tmp_path), "", "A text.")
    assert "sk-secret" not in str(caught.value)


def test_which_failures_are_final() -> None:
    final = {ModelNotConfigured, ModelRefused, ModelNotFound, ModelRejected}
    passing = {ModelTimeout, ModelUnreachable, ModelAnswerUnusable, ModelBusy}

    assert all(issubclass(each, DoNotRetry) for each in final)
    assert not any(issubclass(each, DoNotRetry) for each in passing)


def test_a_busy_server_is_asked_again_when_it_says(model: Configure, tmp_path: Path) -> None:
    model(answer(429, {}, "Retry-After: 7"))

    with pytest.raises(RetryAfter) as caught:
        ask(TinyContext(tmp_path), "", "A text.")
    assert caught.value.seconds == 7


def test_one_that_is_silent_fails_in_time_and_may_have_cost(owner: Any, model: Configure, tmp_path: Path) -> None:
    def silent(_stream: Any) -> None:
        time.sleep(3)

    model(silent)
    owner.LLM_TIMEOUT_SECONDS = 1
    context = TinyContext(tmp_path)

    with pytest.raises(ModelTimeout, match=r"within 1 s \(LLM_TIMEOUT_SECONDS\)"):
        ask(context, "", "A text.")
    assert len(context.reserved) == 1


def test_a_refusal_gives_back_what_was_reserved(model: Configure, tmp_path: Path) -> None:
    model(answer(503, {}))
    context = TinyContext(tmp_path)

    with pytest.raises(ModelBusy):
        ask(context, "", "A text.")
    assert (context.tokens, context.reserved) == (0, [])


def test_without_a_budget_nothing_is_asked(model: Configure, tmp_path: Path) -> None:
    server = model(answer(200, said("Yes.")))

    class Poor(TinyContext):
        def reserve(self, tokens: int) -> None:
            raise BudgetExceeded(f"{tokens} are too many")

    with pytest.raises(BudgetExceeded):
        ask(Poor(tmp_path), "", "A text.")
    assert server.requests == []


def test_without_a_model_it_says_what_to_set(owner: Any, tmp_path: Path) -> None:
    owner.LLM_BASE_URL = ""

    with pytest.raises(ModelNotConfigured, match="set LLM_BASE_URL and LLM_MODEL"):
        ask(TinyContext(tmp_path), "", "A text.")
