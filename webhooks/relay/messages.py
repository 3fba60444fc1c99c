"""What the owner reads: one short plain text per callback, a pure function of the callback.

Everything in a body is taken as it comes: it may be from pi-agent-runner, from a later version, or a job's own words.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from pirunner.wording import counted

MOST_UNITS = 4096
"""Telegram's limit for one message, in UTF-16 units."""
MOST_REASON = 600
"""How much of an error is told; the rest is read in the admin. In UTF-16 units."""

# Lines, and the invisible joiners that emojis and some scripts are written with.
_KEPT = "\n\u200c\u200d"

Body = dict[str, Any]


def message(event: str, body: Body) -> str:
    """Return the message for a callback: never empty, at most ``MOST_UNITS`` long, without control characters.

    ``event`` is what the header says; it is not signed, so it only decides where the body has no ``status``.
    """
    write = _BY_STATUS.get(_text(body.get("status"))) or _BY_EVENT.get(event) or _other
    lines = [" ".join(_text(event).split()) if write is _other else "", *write(body)]
    return _cut("\n".join(line for line in lines if line), MOST_UNITS) or "🔔 callback"


def recipient_of(body: Body) -> str:
    """Return whom a reminder is for, "" for anything else."""
    data = body.get("data")
    reminder = data.get("reminder") if isinstance(data, dict) and _job_type(body) == "reminder" else None
    return _text(reminder.get("recipient")) if isinstance(reminder, dict) else ""


def _completed(body: Body) -> list[str]:
    summary = _text(body.get("summary"))
    if _job_type(body) == "reminder":
        return [summary if summary.startswith("⏰") else f"⏰ {summary or 'Reminder'}"]
    return [f"✅ {_job_type(body)} done", summary]


def _failed(body: Body) -> list[str]:
    return [f"❌ {_job_type(body)} failed", _reason(body), _footnote(body)]


def _cancelled(body: Body) -> list[str]:
    return [f"🚫 {_job_type(body)} cancelled", _reason(body)]


def _started(body: Body) -> list[str]:
    return [f"▶️ {_job_type(body)} started"]


def _progress(body: Body) -> list[str]:
    if "progress" not in body:
        return _started(body)
    return [f"⏳ {_job_type(body)} {_text(body['progress'])} %", _text(body.get("statusMessage"))]


def _retrying(body: Body) -> list[str]:
    return [f"🔁 {_job_type(body)} will be tried again", _reason(body)]


def _recovered(body: Body) -> list[str]:
    back, late = _count(body.get("takenBack")), _count(body.get("late"))
    away = f"It was away for {_text(body.get('seconds'))} s." if body.get("seconds") is not None else ""
    jobs = f"{counted(back, 'job')} run again, {counted(late, 'job')} late." if back or late else ""
    return ["🔌 pirunner is back", away, jobs]


def _missed(body: Body) -> list[str]:
    name = _first(body, "scheduleName", "jobType", "scheduleId") or "?"
    count, made_up = body.get("count"), body.get("caughtUp")
    times = "a run" if count in {1, None} else f"{_text(count)} runs"
    since = _first(body, "dueAt")
    made = f"{_text(made_up)} made up for." if made_up else ""
    return [f"⚠️ schedule {name} missed {times}", f"Due since {since}." if since else "", made]


def _dead(body: Body) -> list[str]:
    return [f"📭 callback to {_host(body) or '?'} given up", _reason(body), _footnote(body)]


def _other(body: Body) -> list[str]:
    return [_cut(_first(body, "summary", "message", "error", "reason"), MOST_REASON)]


_BY_STATUS: dict[str, Callable[[Body], list[str]]] = {
    "completed": _completed,
    "failed": _failed,
    "cancelled": _cancelled,
    "active": _progress,
    "missed": _missed,
    "delayed": _retrying,
}
_BY_EVENT: dict[str, Callable[[Body], list[str]]] = {
    "runner.recovered": _recovered,
    "delivery.dead": _dead,
}


def _job_type(body: Body) -> str:
    return " ".join(_text(body.get("jobType")).split()) or "job"


def _reason(body: Body) -> str:
    return _cut(_first(body, "error", "reason", "lastError"), MOST_REASON)


def _footnote(body: Body) -> str:
    job, attempts = _text(body.get("jobId")), body.get("attemptsMade", body.get("attempts"))
    tried = counted(attempts, "attempt") if type(attempts) is int else ""
    return ", ".join(part for part in (f"job {job}" if job else "", tried) if part)


def _host(body: Body) -> str:
    # Only the host: paths and queries of callback URLs hold tokens.
    try:
        return _first(body, "host") or urlsplit(_text(body.get("url"))).hostname or ""
    except ValueError:
        return ""


def _first(body: Body, *names: str) -> str:
    return next((text for name in names if (text := _text(body.get(name)))), "")


def _count(value: Any) -> int:
    return len(value) if isinstance(value, list) else value if type(value) is int else 0


def _text(value: Any) -> str:
    """Return text or a number as text that every service and database takes; nothing for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    whole = str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "".join(map(_shown, whole)).strip()


def _shown(character: str) -> str:
    if character.isprintable() or character in _KEPT:
        return character
    return " " if character.isspace() else ""


def _cut(text: str, units: int) -> str:
    """Return the text, shortened with an ellipsis if it has more UTF-16 units."""
    if len(text) <= units // 2 or len(text.encode("utf-16-le")) <= 2 * units:
        return text
    # A character that is cut in its middle is dropped.
    return text.encode("utf-16-le")[: 2 * (units - 1)].decode("utf-16-le", "ignore").rstrip() + "…"
