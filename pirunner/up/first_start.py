"""The first start: makes the secrets that are missing and keeps them in `.env`, for the owner's eyes only.

Nothing that has a value is ever changed. A real environment variable wins and is not written down.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import environ

from pirunner import env
from pirunner.dotenv import LINE, env_file, folder_locked, replace_text
from pirunner.up.faults import Exit, StartFault
from pirunner.up.roles import EVERYTHING, Role, secrets_of
from webhooks.signing import new_secret


def _token() -> str:
    return secrets.token_urlsafe(32)


def _password() -> str:
    return secrets.token_urlsafe(15)


MAKERS: Mapping[str, Callable[[], str]] = {
    "RUNNER_API_TOKEN": _token,
    "WEBHOOK_SECRET": new_secret,
    "INSTALLER_TOKEN": _token,
    "SECRET_KEY": _token,
    "ADMIN_PASSWORD": _password,
    "FLOWER_PASSWORD": _password,
}
_HEAD = "# Made at the first start of pirunner. Keep it to yourself; the other variables may be set here too."


def prepare(roles: frozenset[Role] = EVERYTHING) -> None:
    """Add the missing secrets to `.env` and take its values into the environment.

    Parts that share a database with those of other machines make none: they need the same as these.
    Raises StartFault when `.env` cannot be read or written.
    """
    _drop_empty_variables()
    path = env_file().resolve()
    if roles != EVERYTHING and _shares_database(path):
        _require(secrets_of(roles))
        return
    try:
        _add_missing(path)
    except (OSError, UnicodeDecodeError) as error:
        raise StartFault(
            f"Cannot keep the secrets in {path}: {error}. Make it writable, or set ENV_FILE to another.",
            Exit.FOLDER,
        ) from error
    environ.Env.read_env(path, overwrite=False)


def complete(text: str, elsewhere: set[str]) -> str:
    """Return the text of a `.env` file with a value for every secret that has none there or ``elsewhere``."""
    lines = text.splitlines()
    present = {match[1]: number for number, line in enumerate(lines) if (match := LINE.fullmatch(line))}
    for name, make in MAKERS.items():
        if name in elsewhere or f"{name}_FILE" in elsewhere:
            continue
        if name not in present:
            lines.append(f"{name}={make()}")
        elif _is_empty(lines[present[name]]) and f"{name}_FILE" not in present:
            lines[present[name]] = f"{name}={make()}"
    return "".join(f"{line}\n" for line in lines)


def _is_empty(line: str) -> bool:
    match = LINE.fullmatch(line)
    return match is not None and match[2].strip(" \t'\"") == ""


def _shares_database(path: Path) -> bool:
    if path.exists():
        environ.Env.read_env(path, overwrite=False)
    return env.secret("DATABASE_URL").startswith("postgres")


def _require(names: tuple[str, ...]) -> None:
    if missing := [name for name in names if not env.secret(name)]:
        raise StartFault(
            f"{', '.join(missing)} must be the same wherever parts share a database: copy them from the .env of the"
            " first machine (there scripts/run makes them).",
            Exit.SECRET,
        )


def _drop_empty_variables() -> None:
    """Remove empty variables: they count as unset (compose files pass many) and must not hide `.env`."""
    for variable in env.VARIABLES:
        if not os.environ.get(variable.name, "").strip():
            os.environ.pop(variable.name, None)


def _add_missing(path: Path) -> None:
    elsewhere = set(os.environ)
    if _complete_already(path, elsewhere):
        return
    # Two first starts take turns, so that both end up with the same secrets.
    with folder_locked(path.parent):
        before = path.read_text(encoding="utf-8") if path.exists() else f"{_HEAD}\n"
        after = complete(before, elsewhere)
        if after != before:
            replace_text(path, after)


def _complete_already(path: Path, elsewhere: set[str]) -> bool:
    # A read-only folder with a full `.env` (an image, a second user) is nothing to complain about.
    if not path.exists():
        return False
    text = path.read_text(encoding="utf-8")
    return complete(text, elsewhere).splitlines() == text.splitlines()
