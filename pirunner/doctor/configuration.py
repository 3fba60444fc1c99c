"""`.env`, the variables, and the secrets; no value of a secret is ever told."""

import difflib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import environ

from pirunner import env
from pirunner.checks import check_secrets
from pirunner.doctor.findings import Finding, ok, problem, warning
from pirunner.dotenv import env_file, names_in

_SPECIAL: dict[str, Callable[[str], object]] = {
    "TZ": env.zone,
    "LOG_LEVEL": lambda name: env.choice(name, "DEBUG", "INFO", "WARNING", "ERROR"),
    "LOG_FORMAT": lambda name: env.choice(name, "HUMAN", "JSON"),
    "CALLBACK_URL": lambda name: env.url(name, "http", "https"),
    "TELEGRAM_API_URL": lambda name: env.url(name, "http", "https"),
    "DATABASE_URL": lambda name: env.url(name, "postgres", "postgresql", "sqlite"),
    "WEBHOOK_SECRET_PREVIOUS_UNTIL": env.moment,
    "NOTIFY_URLS": env.urls,
    "NOTIFY_RECIPIENTS": env.named_urls,
    "LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY": env.numbers,
}
_READERS: dict[env.Kind, Callable[[str], object]] = {
    env.Kind.TEXT: env.text,
    env.Kind.SECRET: env.secret,
    env.Kind.INTEGER: env.integer,
    env.Kind.SWITCH: env.switch,
    env.Kind.PATH: env.path,
}


def look() -> Iterator[Finding]:
    """Look at `.env`, take its values into the environment, and read every variable."""
    path = env_file()
    yield from _file(path)
    yield from variables()
    yield from _secrets()


def _file(path: Path) -> Iterator[Finding]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        yield warning(".env", f"{path} is not there", "Start scripts/run once: it makes the file with strong secrets.")
        return
    except (OSError, UnicodeDecodeError) as error:
        yield problem(
            ".env",
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text in UTF-8'}",
            f"Make it readable for this user (chown, chmod 600 {path}), or set ENV_FILE to another.",
        )
        return
    environ.Env.read_env(path, overwrite=False)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 and path != Path(os.devnull):
        yield problem(".env", f"others may read {path} (mode {mode:04o})", f"chmod 600 {path}")
    else:
        yield ok(".env", f"{path}, mode {mode:04o}")
    yield from misspelt(text)


def misspelt(text: str) -> Iterator[Finding]:
    """Look for names in a `.env` file that nearly are variables of pirunner."""
    known = {variable.name for variable in env.VARIABLES}
    for name in sorted(names_in(text) - known - {f"{each}_FILE" for each in known} - {"ENV_FILE"}):
        if close := difflib.get_close_matches(name, known, n=1, cutoff=0.85):
            yield warning(name, "is no variable of pirunner", f"Did you mean {close[0]}? Correct the line in .env.")


def variables() -> Iterator[Finding]:
    """Read every variable as the settings do, and tell of each that cannot be used."""
    faults = [fault for variable in env.VARIABLES if (fault := _fault(variable))]
    for fault in faults:
        yield problem(
            "variable", fault, "Correct it in .env or in the environment; docs/configuration.md has them all."
        )
    if not faults:
        given = sum(bool(os.environ.get(variable.name, "").strip()) for variable in env.VARIABLES)
        yield ok("variables", f"{given} set, {len(env.VARIABLES) - given} at their defaults")


def _fault(variable: env.Variable) -> str:
    try:
        _SPECIAL.get(variable.name, _READERS[variable.kind])(variable.name)
    except env.EnvironmentFault as fault:
        return str(fault)
    return ""


def _secrets() -> Iterator[Finding]:
    try:
        faults = check_secrets()
    except env.EnvironmentFault:
        return  # it is among the faults of the variables
    if faults:
        mend = "Delete their lines from .env, and the next start of scripts/run makes strong ones."
        yield problem("secrets", " ".join(fault.msg for fault in faults), mend)
    if not faults:
        yield ok("secrets", "set, and none is a well-known word")
