"""What becomes of a run: one table of outcomes, and the details of each."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.endings import (
    RESULT_LENGTH,
    Ending,
    attempt_failed,
    cancelled,
    completed,
    given_back,
    printable,
    worker_lost,
)
from jobs.errors import DoNotRetry, JobFailed, RetryAfter, TimeLimitExceeded
from tests.jobs.making import NOON, claim


def failed(error: BaseException, jitter: float = 0.0, **fields: Any) -> Ending:
    return attempt_failed(claim(**fields), error, at=NOON, backoff_seconds=5.0, jitter=jitter)


def lost(**fields: Any) -> Ending:
    return worker_lost(claim(**fields), at=NOON, reason="worker lost")


# ending, state, attempts made, seconds until it is due again
OUTCOMES = {
    "completed": (completed(claim(), {}, at=NOON), "completed", 1, None),
    "the first failure": (failed(JobFailed("no")), "delayed", 1, 5),
    "the second failure": (failed(ValueError("no"), attempts_made=1), "delayed", 2, 10),
    "the last attempt": (failed(JobFailed("no"), attempts_made=2), "failed", 3, None),
    "one attempt only": (failed(JobFailed("no"), max_attempts=1), "failed", 1, None),
    "more attempts than there are": (failed(JobFailed("no"), attempts_made=7), "failed", 8, None),
    "do not retry": (failed(DoNotRetry("no")), "failed", 1, None),
    "retry after": (failed(RetryAfter(90, "no")), "delayed", 1, 90),
    "retry after, fractions": (failed(RetryAfter(0.5, "no")), "delayed", 1, 0.5),
    "retry after, negative": (failed(RetryAfter(-9, "no")), "delayed", 1, 0),
    "retry after, last attempt": (failed(RetryAfter(90, "no"), attempts_made=2), "failed", 3, None),
    "time limit": (failed(TimeLimitExceeded("too long")), "delayed", 1, 5),
    "worker lost": (lost(), "waiting", 1, 0),
    "worker lost, last attempt": (lost(attempts_made=2), "failed", 3, None),
    "worker lost with a chain": (lost(chained=2), "waiting", 0, 0),
    "worker lost with a chain, last attempt": (lost(chained=100, attempts_made=2), "waiting", 2, 0),
    "given back": (given_back(claim(attempts_made=1), at=NOON, reason="stopped"), "waiting", 1, 0),
    "given back, last attempt": (given_back(claim(attempts_made=2), at=NOON, reason="stopped"), "waiting", 2, 0),
    "cancelled": (cancelled(claim(attempts_made=1), at=NOON, by="ana"), "cancelled", 1, None),
}


@pytest.mark.parametrize(("ending", "state", "attempts_made", "due_in"), OUTCOMES.values(), ids=OUTCOMES)
def test_outcome(ending: Ending, state: str, attempts_made: int, due_in: float | None) -> None:
    assert ending.state == state
    assert ending.attempts_made == attempts_made
    assert ending.due_at == (None if due_in is None else NOON + timedelta(seconds=due_in))
    assert ending.is_final == (state in {"completed", "failed", "cancelled"})


@pytest.mark.parametrize("seconds", [1e12, float("inf"), float("nan")])
def test_a_wish_beyond_the_calendar_is_bounded(seconds: float) -> None:
    ending = failed(RetryAfter(seconds, "no"))

    assert ending.due_at is not None
    assert NOON <= ending.due_at <= NOON + timedelta(days=366)


def test_a_failure_tells_its_class_and_sentence() -> None:
    ending = failed(KeyError("price"))

    assert (ending.error_class, ending.error) == ("KeyError", "'price'")


def test_a_failure_without_words_is_told_by_its_class() -> None:
    assert failed(JobFailed()).error == "JobFailed"


def test_an_error_class_of_any_length_fits_its_column() -> None:
    error = type("Long" * 100, (Exception,), {})("no")

    assert len(failed(error).error_class) == 100


def test_a_long_error_is_cut() -> None:
    ending = failed(JobFailed("x" * 10_000))

    assert len(ending.error) == 2000
    assert ending.error.endswith("x…")


def test_a_lost_run_tells_why() -> None:
    assert (lost().error_class, lost().error) == ("WorkerLost", "worker lost")


def test_a_cancelled_run_tells_who_did_it() -> None:
    ending = cancelled(claim(), at=NOON, by="ana")

    assert (ending.error_class, ending.error) == ("Cancelled", "cancelled by ana")


# -- results ------------------------------------------------------------------------------------------------------


def test_a_result_is_kept_as_compact_ascii() -> None:
    ending = completed(claim(), {"b": 1, "a": "é\x00\ud800"}, at=NOON)

    assert ending.result_text == '{"b":1,"a":"\\u00e9\\u0000\\ud800"}'


@pytest.mark.parametrize(
    ("summary", "kept"),
    [("Done.", "Done."), (None, ""), ("", ""), (5, "5"), ("a\x00b\ud800", "a�b?"), ("s" * 600, "s" * 499 + "…")],
)
def test_the_summary_is_printable_text(summary: Any, kept: str) -> None:
    assert completed(claim(), {"summary": summary}, at=NOON).summary == kept


@pytest.mark.parametrize(
    "result",
    [
        {"value": object()},
        {"value": {1, 2}},
        {"value": b"bytes"},
        {"value": float("nan")},
        {"value": float("inf")},
        {"value": 10**400},
        {(1, 2): "key"},
        None,
        ["a list"],
        "text",
    ],
)
def test_what_is_no_json_object_is_refused(result: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        completed(claim(), result, at=NOON)


def test_keys_that_json_would_turn_into_text_are_text_in_the_result() -> None:
    ending = completed(claim(), {1: "a", "nested": {None: 2}}, at=NOON)  # type: ignore[dict-item]

    assert ending.result == {"1": "a", "nested": {"null": 2}}


def test_a_result_nested_too_deeply_for_a_callback_is_refused() -> None:
    result: dict[str, Any] = {}
    for _ in range(100_000):
        result = {"deeper": result}

    with pytest.raises((ValueError, RecursionError)):
        completed(claim(), result, at=NOON)


def test_a_result_that_is_too_large_is_not_retried() -> None:
    with pytest.raises(DoNotRetry, match=str(RESULT_LENGTH)):
        completed(claim(), {"text": "x" * RESULT_LENGTH}, at=NOON)


# -- printable text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [("plain", "plain"), ("a\x00b", "a�b"), ("\ud800", "?"), ("⏰ ok\n", "⏰ ok\n"), ("12345678901", "123456789…")],
)
def test_text_is_made_printable(text: str, kept: str) -> None:
    assert printable(text, 10) == kept


@given(st.text(st.characters(), max_size=50))
def test_printable_text_is_what_every_database_keeps(text: str) -> None:
    kept = printable(text, 20)

    assert len(kept) <= 20
    assert "\x00" not in kept
    assert kept.encode().decode() == kept


@pytest.mark.parametrize(
    ("result", "quiet"), [({}, False), ({"notify": True}, False), ({"notify": False}, True), ({"notify": 0}, False)]
)
def test_a_result_can_ask_that_nobody_be_called_if_its_type_declares_that(result: dict[str, Any], quiet: bool) -> None:
    assert completed(claim(), result, at=NOON, may_be_quiet=True).is_quiet is quiet
    assert not completed(claim(), result, at=NOON).is_quiet
    assert not failed(JobFailed("no")).is_quiet
