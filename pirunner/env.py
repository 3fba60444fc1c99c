"""The environment: every variable pirunner reads, in one table, and typed readers that refuse nonsense.

Real environment variables win over the ``.env`` file. An empty value counts as unset. A variable that
may hold a secret can also come from a file named by ``<NAME>_FILE``. Imports nothing of Django.
"""

import os
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ROOT = Path(__file__).resolve().parent.parent


class EnvironmentFault(Exception):
    """A variable of the environment has a value that cannot be used; the sentence says which and why."""


class Kind(StrEnum):
    """What a variable holds."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105  (a kind, not a secret)
    INTEGER = "integer"
    SWITCH = "switch"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its name, what it holds, its default as text, and a sentence for the owner."""

    name: str
    kind: Kind
    default: str
    help: str
    least: int = 0
    most: int | None = None


VARIABLES = (
    Variable("PORT", Kind.INTEGER, "8787", "Port of the API and the admin.", least=1, most=65535),
    Variable("HOST", Kind.TEXT, "127.0.0.1", "Address the API listens on; `0.0.0.0` opens it to the network."),
    Variable("RELAY", Kind.SWITCH, "on", "Whether the relay takes callbacks and tells your phone of them."),
    Variable("CALLBACK_PORT", Kind.INTEGER, "9999", "Port of the relay: `POST /callback`.", least=1, most=65535),
    Variable(
        "CALLBACK_HOST", Kind.TEXT, "127.0.0.1", "Address the relay listens on; `0.0.0.0` opens it to the network."
    ),
    Variable("TELEGRAM_BOT_TOKEN", Kind.SECRET, "", "Token of the Telegram bot that sends the relay's messages."),
    Variable("TELEGRAM_CHAT_ID", Kind.TEXT, "", "The Telegram chat they go to: a number, or `@channel`."),
    Variable("TELEGRAM_API_URL", Kind.TEXT, "", "A Telegram Bot API server of your own; empty: Telegram's."),
    Variable(
        "NOTIFY_URLS",
        Kind.SECRET,
        "",
        "Other services the relay's messages go to: Apprise URLs, by comma or blank.",
    ),
    Variable(
        "NOTIFY_RECIPIENTS",
        Kind.SECRET,
        "",
        "Where reminders go by their `recipient`, as `ana=<URL>,bob=<URL>`; the others go the usual way.",
    ),
    Variable("RUNNER_API_TOKEN", Kind.SECRET, "", "Bearer token of the API. Made at the first start."),
    Variable("WEBHOOK_SECRET", Kind.SECRET, "", "Signs callbacks. Made at the first start."),
    Variable("INSTALLER_TOKEN", Kind.SECRET, "", "Token of the systemd installer. Made at the first start."),
    Variable("APPLY_SYSTEMD", Kind.SWITCH, "off", "Whether `sync_systemd` installs timers, or only shows them."),
    Variable("SYSTEMD_DIR", Kind.PATH, "/etc/systemd/system", "Where it installs them."),
    Variable("INSTALLER_STATE_DIR", Kind.PATH, "/var/lib/piar-sysd", "Where it keeps what only root may read."),
    Variable(
        "INSTALLER_POLL_MS", Kind.INTEGER, "15000", "How often it looks for changes, in milliseconds.", least=1000
    ),
    Variable("API_URL", Kind.TEXT, "", "Where systemd's timers find the API; empty: this machine, at `PORT`."),
    Variable("SECRET_KEY", Kind.SECRET, "", "Django's key for sessions. Made at the first start."),
    Variable("ADMIN_PASSWORD", Kind.SECRET, "", "First password of the user `admin`. Made at the first start."),
    Variable("CALLBACK_URL", Kind.TEXT, "", "Where callbacks go when a job names no `callbackUrl`."),
    Variable(
        "CALLBACK_ALLOWED_HOSTS",
        Kind.TEXT,
        "",
        "Private hosts callbacks may go to: host[:port] or CIDR, by comma.",
    ),
    Variable(
        "FETCH_ALLOWED_HOSTS",
        Kind.TEXT,
        "",
        "Private hosts jobs may fetch from: host[:port] or CIDR, by comma.",
    ),
    Variable("CALLBACK_ATTEMPTS", Kind.INTEGER, "10", "How often a callback is tried before it is dead.", least=1),
    Variable(
        "CALLBACK_RETRY_MS",
        Kind.INTEGER,
        "0",
        "Base of the callbacks' back-off in milliseconds, doubled each time; 0: 5 s, 5 min, 30 min, 2 h, ...",
    ),
    Variable("CALLBACK_PER_HOST", Kind.INTEGER, "2", "How many callbacks are sent to one host at a time.", least=1),
    Variable(
        "WEBHOOK_SECRET_PREVIOUS",
        Kind.SECRET,
        "",
        "The secret before the last change: callbacks are signed with it too.",
    ),
    Variable(
        "WEBHOOK_SECRET_PREVIOUS_UNTIL",
        Kind.TEXT,
        "",
        "Until when, in ISO 8601 with an offset; empty: as long as it is there.",
    ),
    Variable("RUNNER_JOBS", Kind.TEXT, "", "Job types that may run, by comma; empty or `built-in`: all built in."),
    Variable("WORKER_CONCURRENCY", Kind.INTEGER, "2", "Jobs that run at the same time.", least=1),
    Variable(
        "LLM_BASE_URL", Kind.TEXT, "", "A language model's OpenAI-compatible API, like `http://127.0.0.1:11434/v1`."
    ),
    Variable("LLM_MODEL", Kind.TEXT, "", "The model to ask of it."),
    Variable("LLM_API_KEY", Kind.SECRET, "", "Its key, if it wants one."),
    Variable("LLM_TIMEOUT_SECONDS", Kind.INTEGER, "120", "How long one answer of it may take.", least=1, most=240),
    Variable("LLM_BUDGET_TOKENS_PER_JOB", Kind.INTEGER, "0", "Tokens that a job may spend; 0: any number."),
    Variable("LLM_BUDGET_TOKENS_PER_DAY", Kind.INTEGER, "0", "Tokens that all jobs may spend on a day of `TZ`."),
    Variable(
        "LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY",
        Kind.TEXT,
        "",
        "The same for single job types: `summarize=50000,digest=20000`.",
    ),
    Variable("IDEMPOTENCY_TTL_SECONDS", Kind.INTEGER, "86400", "How long an idempotency key lives.", least=1),
    Variable("RETENTION_COMPLETED_DAYS", Kind.INTEGER, "30", "How long completed jobs are kept.", least=1),
    Variable("RETENTION_FAILED_DAYS", Kind.INTEGER, "90", "How long failed jobs are kept.", least=1),
    Variable("RETENTION_CANCELLED_DAYS", Kind.INTEGER, "30", "How long cancelled jobs are kept.", least=1),
    Variable("RETENTION_MAX_JOBS", Kind.INTEGER, "100000", "Ended jobs that are kept in all.", least=1),
    Variable("EVENT_RETENTION_DAYS", Kind.INTEGER, "30", "How long events are kept.", least=1),
    Variable("DELIVERY_RETENTION_DAYS", Kind.INTEGER, "30", "How long callbacks are kept once they are over.", least=1),
    Variable("OCCURRENCE_RETENTION_DAYS", Kind.INTEGER, "30", "How long it is kept what schedules did.", least=1),
    Variable("CRYPTO_BRIEF_CRON", Kind.TEXT, "0 9 * * *", "When the crypto brief is made, in `TZ`; `off`: never."),
    Variable("CRYPTO_MAX_ITEMS", Kind.INTEGER, "5", "Items of a crypto brief.", least=1),
    Variable("TZ", Kind.TEXT, "UTC", "The owner's time zone (IANA name)."),
    Variable("RUNNER_DATA_DIR", Kind.PATH, "data", "Everything a run writes lies below it."),
    Variable("DATA_DIR", Kind.PATH, "", "Artifacts, and nothing of yours; default `<RUNNER_DATA_DIR>/artifacts`."),
    Variable("DATABASE_URL", Kind.SECRET, "", "PostgreSQL, if not the SQLite file in `RUNNER_DATA_DIR`."),
    Variable("REDIS_URL", Kind.SECRET, "", "A Redis to use; empty: a private one is started."),
    Variable("BROKER_URL", Kind.SECRET, "", "Another Celery broker; default `REDIS_URL`."),
    Variable("FLOWER", Kind.SWITCH, "on", "Whether Celery Flower runs."),
    Variable("FLOWER_PORT", Kind.INTEGER, "0", "Flower's port on loopback; 0: 5555 or the next free one.", most=65535),
    Variable("FLOWER_PASSWORD", Kind.SECRET, "", "Password of Flower's user `admin`. Made at the first start."),
    Variable(
        "TRUSTED_PROXIES",
        Kind.TEXT,
        "",
        "Proxies whose `X-Forwarded-For` is believed: addresses or CIDR, by comma; empty: none.",
    ),
    Variable("ALLOWED_HOSTS", Kind.TEXT, "*", "Host names the API answers to, by comma."),
    Variable("DEVELOPMENT", Kind.SWITCH, "off", "Allows empty and well-known secrets, and shows tracebacks."),
    Variable("LOG_LEVEL", Kind.TEXT, "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Variable("LOG_FORMAT", Kind.TEXT, "human", "`human`, or `json` for programs: one object a line."),
)

_BY_NAME = {variable.name: variable for variable in VARIABLES}
_BETWEEN_URLS = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)|[\s,]+$|^[\s,]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S")
_RECIPIENT = re.compile(r"[^\s,=:/]{1,100}")
_BETWEEN_NAMED = re.compile(r"[\s,]+(?=[^\s,=:/]{1,100}=[A-Za-z][A-Za-z0-9+.-]*://)")
_SWITCH = {
    "on": True,
    "true": True,
    "1": True,
    "yes": True,
    "off": False,
    "false": False,
    "0": False,
    "no": False,
}


def text(name: str) -> str:
    """Return a variable as text, its default when unset."""
    return _raw(_BY_NAME[name])


def clearable(name: str) -> str:
    """Return a variable as text; "" when it is set to nothing or to ``off``, its default only when it is not set."""
    raw = os.environ.get(name, _BY_NAME[name].default).strip()
    return "" if raw.lower() == "off" else raw


def secret(name: str) -> str:
    """Return a secret from the variable, or from the file that ``<name>_FILE`` names.

    Raises EnvironmentFault when the file cannot be read.
    """
    return _raw(_BY_NAME[name])


def integer(name: str) -> int:
    """Return a whole number; raises EnvironmentFault when it is none, or too small."""
    variable = _BY_NAME[name]
    raw = _raw(variable)
    try:
        number = int(raw)
    except ValueError:
        raise EnvironmentFault(f"{name} must be a whole number, not {raw!r}.") from None
    if number < variable.least:
        raise EnvironmentFault(f"{name} must be at least {variable.least}, not {number}.")
    if variable.most is not None and number > variable.most:
        raise EnvironmentFault(f"{name} must be at most {variable.most}, not {number}.")
    return number


def switch(name: str) -> bool:
    """Return an on/off variable; raises EnvironmentFault for anything but on, off, true, false, yes, no, 1, 0."""
    raw = _raw(_BY_NAME[name])
    try:
        return _SWITCH[raw.lower()]
    except KeyError:
        raise EnvironmentFault(f"{name} must be on or off, not {raw!r}.") from None


def zone(name: str) -> str:
    """Return the name of a time zone; raises EnvironmentFault when there is none of that name."""
    raw = _raw(_BY_NAME[name])
    try:
        ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise EnvironmentFault(f"{name} must be an IANA time zone like Europe/Berlin, not {raw!r}.") from None
    return raw


def choice(name: str, *choices: str) -> str:
    """Return a word in capitals; raises EnvironmentFault when it is none of the choices."""
    raw = _raw(_BY_NAME[name]).upper()
    if raw not in choices:
        raise EnvironmentFault(f"{name} must be one of {', '.join(choices)}, not {raw!r}.")
    return raw


def url(name: str, *schemes: str) -> str:
    """Return a URL, or an empty text when unset; raises EnvironmentFault, without the value, for another scheme."""
    raw = _raw(_BY_NAME[name])
    if raw and raw.partition("://")[0].lower() not in schemes:
        raise EnvironmentFault(f"{name} must begin with one of {', '.join(f'{scheme}://' for scheme in schemes)}.")
    return raw


def moment(name: str) -> datetime | None:
    """Return a moment with its offset, None when unset; raises EnvironmentFault for anything else."""
    raw = _raw(_BY_NAME[name])
    if not raw:
        return None
    try:
        read = datetime.fromisoformat(raw)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise EnvironmentFault(f"{name} must be a moment like 2030-03-10T13:30:00Z, not {raw!r}.")
    return read


def path(name: str) -> Path | None:
    """Return a folder; a relative one is counted from the project's folder. None when unset without default."""
    raw = _raw(_BY_NAME[name])
    return (ROOT / Path(raw).expanduser()).resolve() if raw else None


def names(name: str) -> tuple[str, ...]:
    """Return the parts of a comma-separated variable, without blanks and empty parts."""
    return tuple(part.strip() for part in _raw(_BY_NAME[name]).split(",") if part.strip())


def numbers(name: str) -> dict[str, int]:
    """Return whole numbers by name, ``one=1,two=2``; raises EnvironmentFault for anything else."""
    found: dict[str, int] = {}
    for part in names(name):
        key, separator, number = (piece.strip() for piece in part.partition("="))
        if not (key and separator and number.isascii() and number.isdigit()):
            raise EnvironmentFault(f"{name} must be names with whole numbers, like one=1,two=2, not {part!r}.")
        found[key] = int(number)
    return found


def networks(name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return comma-separated addresses and networks; raises EnvironmentFault for what is neither."""
    try:
        return tuple(ip_network(part) for part in names(name))
    except ValueError as error:
        raise EnvironmentFault(f"{name} must be addresses or networks like 10.0.0.0/8: {error}.") from None


def named_urls(name: str) -> dict[str, tuple[str, ...]]:
    """Return URLs by name, ``anna=ntfy://...,bob=tgram://...``; a name that comes twice has two.

    Raises EnvironmentFault, without the value, for anything else.
    """
    found: dict[str, tuple[str, ...]] = {}
    for part in _BETWEEN_NAMED.split(_raw(_BY_NAME[name]).strip(" ,")):
        key, _, url = part.strip().partition("=")
        if part and not (_RECIPIENT.fullmatch(key) and _SCHEME.match(url)):
            raise EnvironmentFault(f"{name} must be names with URLs, like anna=ntfy://...,bob=tgram://...")
        if part:
            found[key.casefold()] = (*found.get(key.casefold(), ()), url)
    return found


def urls(name: str) -> tuple[str, ...]:
    """Return URLs of any scheme, each once, separated by commas or blanks; a comma within a URL belongs to it.

    Raises EnvironmentFault, without the value, for what does not begin with a scheme.
    """
    found = [url for url in _BETWEEN_URLS.split(_raw(_BY_NAME[name])) if url]
    if not all(_SCHEME.match(url) for url in found):
        raise EnvironmentFault(f"{name} must be URLs such as mailto://..., separated by commas.")
    return tuple(dict.fromkeys(found))


def _raw(variable: Variable) -> str:
    value = os.environ.get(variable.name, "").strip()
    if value:
        return value
    file_name = os.environ.get(f"{variable.name}_FILE", "").strip()
    if file_name and variable.kind is Kind.SECRET:
        return _read_secret_file(variable.name, file_name)
    return variable.default


def _read_secret_file(name: str, file_name: str) -> str:
    try:
        return Path(file_name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"{name}_FILE names {file_name}, which cannot be read: {error}.") from error
