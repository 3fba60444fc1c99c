"""A new ``WEBHOOK_SECRET`` in `.env`; the old one goes on to sign, and to be accepted, beside it for a while."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from pirunner.dotenv import env_file, folder_locked, names_in, replace_text, with_values
from webhooks.signing import new_secret

SECRET = "WEBHOOK_SECRET"  # noqa: S105  (the names of variables)
PREVIOUS = "WEBHOOK_SECRET_PREVIOUS"
UNTIL = "WEBHOOK_SECRET_PREVIOUS_UNTIL"


class RotationRefused(Exception):
    """The secret cannot be changed here; the sentence says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation writes, and where."""

    path: Path
    values: dict[str, str]


def plan_rotation(*, now: datetime, until: datetime, force: bool = False) -> Rotation:
    """Return the rotation of a secret that stands in `.env`; raises ``RotationRefused``.

    With ``force`` a secret that is still accepted beside the current one is dropped.
    """
    path = env_file().resolve()
    _check_place(path)
    still = settings.WEBHOOK_SECRET_PREVIOUS_UNTIL
    if settings.WEBHOOK_SECRET_PREVIOUS and (still is None or now < still) and not force:
        end = "it is taken out of .env" if still is None else f"{still:%Y-%m-%d %H:%M %Z}"
        raise RotationRefused(
            f"The last rotation is not over: the secret before is accepted until {end}. --force drops it now."
        )
    values = {SECRET: new_secret(), PREVIOUS: settings.WEBHOOK_SECRET, UNTIL: until.isoformat(timespec="seconds")}
    return Rotation(path, values)


def write_rotation(rotation: Rotation) -> None:
    """Write it down at once and whole, for the owner's eyes only; raises ``RotationRefused``."""
    try:
        with folder_locked(rotation.path.parent):
            text = rotation.path.read_text(encoding="utf-8")
            replace_text(rotation.path, with_values(text, rotation.values))
    except (OSError, UnicodeDecodeError) as error:
        raise RotationRefused(f"{rotation.path} cannot be rewritten: {error}. Nothing was changed.") from error


def _check_place(path: Path) -> None:
    given = settings.REAL_ENVIRONMENT
    for name in (SECRET, PREVIOUS, UNTIL):
        if name in given:
            raise RotationRefused(
                f"{name} comes from the environment, which wins over {path}. Change it where it is set."
            )
    try:
        named = names_in(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RotationRefused(f"{path} cannot be read: {error}.") from error
    if SECRET not in named:
        if f"{SECRET}_FILE" in given | named:
            raise RotationRefused(
                f"The secret comes from the file that {SECRET}_FILE names. Write a new one there, and set {PREVIOUS}"
                f" or {PREVIOUS}_FILE to the old one."
            )
        raise RotationRefused(f"There is no {SECRET} in {path}; the first start of scripts/run makes one.")
