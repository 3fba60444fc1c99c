"""The parts of pirunner, of which `manage.py up --role` runs some and `manage.py up` all."""

from collections.abc import Iterable
from enum import StrEnum

from pirunner.up.faults import Exit, StartFault


class Role(StrEnum):
    """A part that runs as a process of its own; the relay is in ``io``."""

    REDIS = "redis"
    API = "api"
    WORKER = "worker"
    IO = "io"
    CLOCK = "clock"
    FLOWER = "flower"


EVERYTHING = frozenset(Role)
_EVERYBODYS_SECRETS = ("SECRET_KEY", "WEBHOOK_SECRET")
_OWN_SECRETS = {
    Role.REDIS: (),
    Role.API: (*_EVERYBODYS_SECRETS, "RUNNER_API_TOKEN", "INSTALLER_TOKEN", "ADMIN_PASSWORD"),
    Role.WORKER: _EVERYBODYS_SECRETS,
    Role.IO: _EVERYBODYS_SECRETS,
    Role.CLOCK: _EVERYBODYS_SECRETS,
    Role.FLOWER: (*_EVERYBODYS_SECRETS, "FLOWER_PASSWORD"),
}


def roles_of(texts: Iterable[str]) -> frozenset[Role]:
    """Return the roles that are named, by comma or one by one; all if none is. Raises ``StartFault``."""
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in list(Role)]:
        raise StartFault(f"There is no role {unknown[0]!r}: take {', '.join(Role)}.", Exit.ENVIRONMENT)
    return frozenset(map(Role, names)) or EVERYTHING


def secrets_of(roles: frozenset[Role]) -> tuple[str, ...]:
    """Return the names of the secrets that these roles cannot do without."""
    return tuple(dict.fromkeys(name for role in Role if role in roles for name in _OWN_SECRETS[role]))
