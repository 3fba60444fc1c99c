"""The owner's language model: any server with OpenAI's chat API, also one on the local network.

The host of ``LLM_BASE_URL`` may be private, since the owner named it; nothing else may. What may be spent is reserved
before each question and settled after it. Every way in which it can fail has its own class, and says what to do.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from jobs.contract import Context
from jobs.errors import DoNotRetry, JobFailed, RetryAfter
from webhooks.backoff import parse_retry_after
from webhooks.egress import (
    AllowedHosts,
    CheckedClient,
    ConnectionFailed,
    DeadlineExceeded,
    EgressError,
    Policy,
    Response,
)
from webhooks.hosts import UrlRefused, host_of

ANSWER_TOKENS = 2000
"""What an answer is taken to cost at most before it is there."""
BUSY_SECONDS = 30.0
"""How long to wait for a server that is busy and does not say how long."""
LONGEST_WAIT = 3600.0
_THOUGHTS = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)


class ModelNotConfigured(DoNotRetry):
    """There is no language model here."""


class ModelRefused(DoNotRetry):
    """The server does not accept the key."""


class ModelNotFound(DoNotRetry):
    """The server does not know the model, or its address is wrong."""


class ModelRejected(DoNotRetry):
    """The server does not take the question as it is."""


class ModelBusy(RetryAfter):
    """The server asks to come later."""


class ModelTimeout(JobFailed):
    """The server did not answer in time."""


class ModelUnreachable(JobFailed):
    """The server could not be reached, or had an error."""


class ModelAnswerUnusable(JobFailed):
    """The server answered with something else than an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said, and how many tokens that cost, as the server counts or as estimated."""

    text: str
    tokens: int


def is_configured() -> bool:
    """Return whether the owner named a server and a model."""
    return bool(settings.LLM_BASE_URL and settings.LLM_MODEL)


def ask(ctx: Context, instruction: str, text: str) -> Answer:
    """Return the model's answer to an instruction about a text.

    Raises one of the classes above, or ``BudgetExceeded``.
    """
    if not is_configured():
        raise ModelNotConfigured("There is no language model here: set LLM_BASE_URL and LLM_MODEL, and start again.")
    expected = estimate(instruction) + estimate(text) + ANSWER_TOKENS
    ctx.reserve(expected)
    try:
        response = _send(instruction, text)
    except JobFailed as error:
        if not isinstance(error, ModelTimeout):  # one that came too late may have cost all the same
            ctx.spend(reserved=expected)
        raise
    answer = _read(response, expected)
    ctx.spend(tokens=answer.tokens, reserved=expected)
    if not answer.text:
        raise ModelAnswerUnusable(f"{settings.LLM_MODEL} gave an empty answer.")
    return answer


def estimate(text: str) -> int:
    """Return how many tokens a text has at most, in most languages."""
    plain = sum(map(str.isascii, text))
    return plain // 3 + (len(text) - plain) + 1


def _send(instruction: str, text: str) -> Response:
    url = f"{settings.LLM_BASE_URL.rstrip('/')}/chat/completions"
    messages = [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
    # Nothing else: newer models of some makers refuse max_tokens or a temperature, and have good defaults.
    body = json.dumps({"model": settings.LLM_MODEL, "messages": messages, "stream": False}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if settings.LLM_API_KEY:
        headers["Authorization"] = f"Bearer {settings.LLM_API_KEY}"
    try:
        response = _client().post(url, body, headers)
    except DeadlineExceeded:
        seconds = settings.LLM_TIMEOUT_SECONDS
        raise ModelTimeout(f"{_place()} did not answer within {seconds} s (LLM_TIMEOUT_SECONDS).") from None
    except ConnectionFailed as error:
        raise ModelUnreachable(f"{_place()} could not be reached: {error}") from None
    except EgressError as error:
        failure = ModelRejected if error.permanent else ModelUnreachable
        raise failure(f"{_place()} could not be asked: {error}") from None
    if response.status != 200:
        raise _failure(response)
    return response


def _client() -> CheckedClient:
    try:
        allowed = AllowedHosts.parse([host_of(settings.LLM_BASE_URL)])
    except UrlRefused as error:
        raise ModelNotConfigured(f"LLM_BASE_URL cannot be used: {error}") from None
    return CheckedClient(Policy(allowed=allowed, total_timeout=float(settings.LLM_TIMEOUT_SECONDS)))


def _failure(response: Response) -> JobFailed:
    """Return what a status other than 200 means."""
    status, said = response.status, _error_of(response.body)
    told = f"{_place()} answered {status}{f': {said}' if said else '.'}"
    if status in {401, 403}:
        return ModelRefused(f"{told} Check LLM_API_KEY.")
    if status == 404:
        return ModelNotFound(f"{told} Check LLM_MODEL ({settings.LLM_MODEL}) and that LLM_BASE_URL ends as it should.")
    if status == 429 and "quota" in said.lower():
        return ModelRefused(f"{told} The account has nothing left to spend.")
    if status in {408, 425, 429, 503}:
        wish = parse_retry_after(response.headers.get("retry-after"), now=datetime.now(UTC))
        return ModelBusy(min(BUSY_SECONDS if wish is None else wish, LONGEST_WAIT), told)
    return ModelUnreachable(told) if status >= 500 else ModelRejected(told)


def _read(response: Response, expected: int) -> Answer:
    """Return the answer; raises ``ModelAnswerUnusable``, and what was reserved counts as spent."""
    try:
        document = json.loads(response.body)
        content = document["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ModelAnswerUnusable(f"{_place()} answered with something else than OpenAI's chat API does.") from None
    text = content if isinstance(content, str) else ""
    return Answer(_THOUGHTS.sub("", text).strip(), _tokens_of(document, expected))


def _tokens_of(document: dict[str, Any], expected: int) -> int:
    usage = document.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if type(total) is int and 0 < total < 10_000_000 else expected


def _error_of(body: bytes) -> str:
    """Return what a server says of its error, shortened; OpenAI's form, Ollama's, or none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = document.get("error") if isinstance(document, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    return " ".join(said.split())[:300] if isinstance(said, str) else ""


def _place() -> str:
    try:
        return f"The language model at {host_of(settings.LLM_BASE_URL)}"
    except UrlRefused:
        return "The language model"
