"""Whom the installer trusts: the key that it saw first, until its owner names another."""

import os
import stat
import sys
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from installer import keys
from installer.config import Config
from installer.files import Folder
from installer.inbox import received_key
from installer.refusals import Refusal
from installer.state import State
from installer.units import is_loopback


def trusted_key(folder: Folder, state: State, *, trust: str = "") -> tuple[Ed25519PublicKey, State]:
    """Return the trusted key, and the state that has it.

    The first key that is seen is trusted from then on. ``trust`` is the fingerprint of another that the owner names:
    the key beside the manifests must have it, and takes the place of the one before, whatever numbers that had given.
    Raises ``Refusal``.
    """
    if state.key and not trust:
        return keys.public_key(state.key.encode()), state
    key = received_key(folder)
    found = keys.fingerprint(key)
    if trust and trust != found:
        raise Refusal("other_key", f"The key beside the manifests is {found}, and not {trust[:32]}.")
    before = (keys.fingerprint(keys.public_key(state.key.encode())),) if state.key else ()
    former = tuple(dict.fromkeys((*state.former, *before)))
    return key, msgspec.structs.replace(state, key=keys.public_pem(key).decode(), former=former, sequence=0)


def makers(key: Ed25519PublicKey, state: State) -> frozenset[str]:
    """Return the fingerprints whose units are ours."""
    return frozenset({keys.fingerprint(key), *state.former})


def warnings(config: Config) -> list[str]:
    """Return what an owner should know about the safety of this installation."""
    if not config.apply:
        return []
    parts = urlsplit(config.api_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return [*_exposed_code(), f"The token goes to {config.api_url} in the clear: use https."]
    return _exposed_code()


def _exposed_code() -> list[str]:
    """Return a warning for each place of this program's own code that somebody else than root could change."""
    if os.geteuid() != 0:
        return []
    code = Path(__file__).resolve().parent
    places = (code, *code.glob("*.py"), Path(sys.executable).resolve())
    exposed = sorted(str(place) for place in places if _is_exposed(place.stat()))[:1]
    return [f"Others than root can change {place}, and so what this program does as root." for place in exposed]


def _is_exposed(found: os.stat_result) -> bool:
    return found.st_uid != 0 or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
