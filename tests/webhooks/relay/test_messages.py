"""What the owner reads, as a table."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.relay.messages import MOST_REASON, MOST_UNITS, message

DONE = {
    "jobId": "12",
    "jobType": "daily-crypto-brief",
    "status": "completed",
    "summary": "Generated 5-item crypto brief",
}
REMINDER = {"jobId": "13", "jobType": "reminder", "status": "completed", "summary": "⏰ Reminder: Water the plants"}
FAILED = {"jobId": "14", "jobType": "scrape", "status": "failed", "error": "The page answered 500.", "attemptsMade": 3}
RECOVERED = {"seconds": 93, "takenBack": ["1", "2"], "late": ["3"], "eventId": "evt_1"}


@pytest.mark.parametrize(
    ("event", "body", "text"),
    [
        ("job.completed", DONE, "✅ daily-crypto-brief done\nGenerated 5-item crypto brief"),
        ("job.completed", {**DONE, "summary": ""}, "✅ daily-crypto-brief done"),
        ("job.completed", {**DONE, "summary": None}, "✅ daily-crypto-brief done"),
        ("job.completed", REMINDER, "⏰ Reminder: Water the plants"),
        ("job.completed", {**REMINDER, "summary": "Water"}, "⏰ Water"),
        ("job.completed", {**REMINDER, "summary": None}, "⏰ Reminder"),
        ("job.failed", FAILED, "❌ scrape failed\nThe page answered 500.\njob 14, 3 attempts"),
        ("job.failed", {**FAILED, "attemptsMade": 1}, "❌ scrape failed\nThe page answered 500.\njob 14, 1 attempt"),
        ("job.failed", {"status": "failed"}, "❌ job failed"),
        (
            "job.failed",
            {**FAILED, "jobType": "reminder"},
            "❌ reminder failed\nThe page answered 500.\njob 14, 3 attempts",
        ),
        ("job.cancelled", {"jobType": "ping", "status": "cancelled", "error": "By Ana."}, "🚫 ping cancelled\nBy Ana."),
        ("job.started", {"jobType": "ping", "status": "active", "attempt": 1}, "▶️ ping started"),
        (
            "job.progress",
            {"jobType": "ping", "status": "active", "progress": 0, "statusMessage": "half"},
            "⏳ ping 0 %\nhalf",
        ),
        ("job.retrying", {**FAILED, "status": "delayed"}, "🔁 scrape will be tried again\nThe page answered 500."),
        ("runner.recovered", RECOVERED, "🔌 pirunner is back\nIt was away for 93 s.\n2 jobs run again, 1 job late."),
        ("runner.recovered", {}, "🔌 pirunner is back"),
        (
            "schedule.missed",
            {"scheduleName": "brief", "status": "missed", "dueAt": "2026-11-22T09:00:00Z", "count": 3, "caughtUp": 1},
            "⚠️ schedule brief missed 3 runs\nDue since 2026-11-22T09:00:00Z.\n1 made up for.",
        ),
        (
            "schedule.missed",
            {"scheduleName": None, "jobType": "ping", "status": "missed", "count": 1, "caughtUp": 0},
            "⚠️ schedule ping missed a run",
        ),
        (
            "delivery.dead",
            {"url": "https://ana:pw@hooks.example:8443/secret?token=1", "error": "It answered 500.", "attempts": 10},
            "📭 callback to hooks.example given up\nIt answered 500.\n10 attempts",
        ),
        ("delivery.dead", {"url": "http://[::1"}, "📭 callback to ? given up"),
        ("moon.rose", {"summary": "full"}, "moon.rose\nfull"),
        ("moon.rose", {"summary": {"a": 1}}, "moon.rose"),
        ("", {}, "🔔 callback"),
        ("job.completed", {}, "job.completed"),
    ],
)
def test_each_event_has_its_message(event: str, body: dict[str, Any], text: str) -> None:
    assert message(event, body) == text


def test_the_signed_status_decides_and_not_the_header() -> None:
    assert message("runner.recovered", FAILED).startswith("❌ scrape failed")


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("\ud800lone", "\ufffdlone"),
        ("\ud83d\ude00", "😀"),
        ("two\nlines\n", "two\nlines"),
        ("10\u00a0000\tkm", "10 000 km"),
        ("👩\u200d🌾", "👩\u200d🌾"),
        (5, "5"),
        (True, ""),
        ("\u202eright to left", "right to left"),
    ],
)
def test_only_what_can_be_shown_is_told(summary: Any, told: str) -> None:
    assert message("job.completed", {**DONE, "summary": summary}).partition("\n")[2] == told


@pytest.mark.parametrize(("character", "units"), [("a", 1), ("č", 1), ("😀", 2)])
def test_a_long_summary_is_cut_at_telegrams_limit(character: str, units: int) -> None:
    text = message("job.completed", {**REMINDER, "summary": "⏰ " + character * 5000})

    assert text.endswith(character + "…")
    assert MOST_UNITS - units < units_of(text) <= MOST_UNITS


def test_a_long_error_leaves_room_for_what_follows() -> None:
    text = message("job.failed", {**FAILED, "error": "e" * 5000})

    assert text.endswith("…\njob 14, 3 attempts")
    assert units_of(text) < MOST_REASON + 100


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(
    ["jobType", "status", "summary", "error", "url", "takenBack", "progress", "name", "attemptsMade"]
)
STATUSES = st.sampled_from(["completed", "failed", "cancelled", "active", "delayed", "queued"])
EVENTS = st.sampled_from(["runner.recovered", "schedule.missed", "delivery.dead", "job.completed"]) | st.text()


@given(event=EVENTS, status=STATUSES | st.none(), body=st.dictionaries(NAMES, VALUES))
def test_whatever_comes_there_is_a_message_that_can_be_sent_and_stored(event: str, status: Any, body: Any) -> None:
    text = message(event, {**body, "status": status})

    assert text.strip()
    assert "\x00" not in text
    assert units_of(text) <= MOST_UNITS


def units_of(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
